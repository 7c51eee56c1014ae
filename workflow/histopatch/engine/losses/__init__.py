"""Losses, one module each: `make(labels)` returns a function of N logits and N labels to their mean loss.

labels: those of all training patches, float32 on the device.
"""
