"""Losses, one module each: `make(labels, settings)` gives a function of logits and targets to a mean loss.

labels: those of all training patches, N float32 on the device. Targets are labels or, smoothed, in between.
"""
