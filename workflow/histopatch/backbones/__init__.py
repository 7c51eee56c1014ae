"""Backbones, one module per source, found through `components.BACKBONES`.

A source has `BACKBONES` (a `Backbone` by the name in the configuration), `create(architecture)`, which
returns the network with random weights and its own classification head, and
`imagenet_weights(architecture)`, which returns the state dict of its pretrained weights or raises InputError.
"""
