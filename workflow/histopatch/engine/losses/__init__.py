"""Losses, one module each: `make(labels, settings)` gives a function of N logits and N targets to N losses.

labels: those of all training patches, N float32 on the device. Targets are labels or, smoothed or mixed, in
between.
"""
