import pytest

from histopatch import components
from histopatch.schema import read_schema
from histopatch.settings import Settings

AUGMENTATIONS = read_schema()["$defs"]["settings"]["properties"]["augmentation"]["properties"]


def settings(**changes) -> Settings:
    return Settings("resnet18", 32, 8, 1, 0.1, 0, "main", **changes)


def used(**augmentation) -> set[str]:
    """The modules under `augmentation/` that a run with these augmentations uses."""
    modules = components.used(settings(augmentation=augmentation))
    return {module for module in modules if module.startswith("augmentation.")}


@pytest.mark.parametrize("name", sorted(set(AUGMENTATIONS) - set(components.GEOMETRY)))
def test_every_augmentation_but_geometry_is_a_module_that_only_its_runs_use(name):
    (module,) = used(flips=True, rotation=90.0, **{name: 0.5})
    assert module.endswith(f".{name}")
    assert used(flips=True, **{name: 0.0}) == set()
    component = components.load(module)
    assert callable(component.draw)
    assert callable(component.apply)


def test_geometry_needs_no_module():
    assert set(components.GEOMETRY) <= set(AUGMENTATIONS)
    assert used(**dict.fromkeys(components.GEOMETRY, 0.2)) == set()


def test_operations_are_in_the_order_of_their_names():
    asked = {"stain": 0.1, "mixup": 0.2, "blur": 0.3, "flips": True, "cutout": 0}
    assert list(components.operations(asked)) == ["blur", "stain"]
    assert list(components.mixing(asked)) == ["mixup"]


METHODS = read_schema()["$defs"]["settings"]["properties"]["stain_normalisation"]["enum"]


@pytest.mark.parametrize("method", METHODS)
def test_a_prediction_uses_the_backbone_and_the_stain_normalisation(method):
    asked = settings(stain_normalisation=method, augmentation={"stain": 0.1}, scheduler="cosine")
    expected = [] if method == "none" else [f"stain.{method}"]
    assert components.predicting(asked) == ["backbones.torchvision", *expected]
    assert set(components.predicting(asked)) < set(components.used(asked))
    for module in expected:
        assert callable(components.load(module).measure)
