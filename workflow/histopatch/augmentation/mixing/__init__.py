"""Augmentations that mix each patch of a batch with another one, one module for each, found by its key.

A module has `draw(count, strength, generator)`, which returns a tensor whose first dimension is `count`, and
`apply(pixels, targets, drawn)`, which takes uint8 N×H×W×3 patches of a whole batch, their targets (N) and the
draws of these N, and returns both mixed. Patches are mixed as they are packed, and before a batch is cut to
fit the memory, so the result does not depend on the cut. The partner is half a batch away: a random one, as
the order of an epoch is random. (Neighbours are not, where the order is balanced: their classes take turns.)
"""
