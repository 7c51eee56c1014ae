"""Classifiers from settings, to train them, and from the description that a trained one left."""

from dataclasses import fields

from histopatch import components
from histopatch.backbones.catalogue import BACKBONES, Backbone
from histopatch.backbones.classifier import Classifier
from histopatch.backbones.weights import load_backbone, read_weights
from histopatch.engine.sizes import training_size
from histopatch.errors import InputError
from histopatch.settings import Settings


def build(settings: Settings) -> Classifier:
    """The classifier that a run's settings ask for, its weights loaded.

    The head is drawn from torch's global random state; seed it before. Raises InputError when the
    weights cannot be had or do not fit, and when the backbone does not take images of that size.
    """
    backbone = expected(settings)
    source, arguments = components.load(components.backbone(settings)), backbone.arguments or {}
    features, weights = source.create(backbone.architecture, **arguments), settings.weights
    if weights == "imagenet":
        name = f"pretrained weights of {settings.backbone}"
        state = source.imagenet_weights(backbone.architecture, **arguments)
        load_backbone(features, backbone.head, state, name)
    elif weights != "none":
        load_backbone(features, backbone.head, read_weights(weights), weights)
    return Classifier(features, backbone, settings.dropout, settings.freeze_backbone)


def expected(settings: Settings) -> Backbone:
    """What the backbone of a run is and expects.

    Raises InputError where it does not take images of the run's sizes, or where there is no such backbone.
    """
    sizes = {training_size(settings, epoch) for epoch in range(1, settings.epochs + 1)}
    backbone = BACKBONES.get(settings.backbone)
    if backbone is None:
        source = components.load(components.backbone(settings))
        return source.entry(settings.backbone, settings.image_size, sizes)
    for size in sizes:
        _check_size(size, settings.backbone, backbone)
    return backbone


def rebuild(description: dict) -> Classifier:
    """The classifier of `Classifier.description()`, with random weights.

    The catalogue is not looked up: a trained model outlives its backbone's entry in the configuration.
    """
    # A field that the description lacks was not there yet when the model was trained.
    names = [field.name for field in fields(Backbone) if field.name in description]
    values = {name: description[name] for name in names}
    backbone = Backbone(**values | {"mean": tuple(values["mean"]), "std": tuple(values["std"])})
    source = components.load(f"backbones.{backbone.source}")
    features = source.create(backbone.architecture, **(backbone.arguments or {}))
    return Classifier(features, backbone, description["dropout"], hidden=description.get("hidden", 0))


def _check_size(size: int, name: str, backbone: Backbone) -> None:
    low, high = backbone.min_size, backbone.max_size
    if size < low or (high is not None and size > high):
        limits = f"at least {low} px" if high is None else f"{low} to {high} px"
        raise InputError(f"image_size: {name} takes {limits}, not {size}; change image_size or backbone")
