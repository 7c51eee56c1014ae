"""Backbones: a catalogue, and one module per source: torchvision, timm, and lite, whose networks are timm's.

A source has `create(architecture)`, which returns the network with random weights and its own classification
head, and `imagenet_weights(architecture)`, which returns the state dict of its pretrained weights or raises
InputError. Both take the `arguments` of a row of the catalogue, where it has some.
"""
