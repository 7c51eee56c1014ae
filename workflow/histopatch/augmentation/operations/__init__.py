"""Augmentations other than geometry, one module per operation, found by the name of its configuration key.

A module has `draw(count, strength, generator)`, which returns a tensor whose first dimension is `count`, and
`apply(images, drawn)`, which takes float32 N×3×H×W in 0–255 and the draws of these N and returns the same.
"""
