import dataclasses
from types import SimpleNamespace

import pandas as pd
import pytest

from histopatch.data.given_parts import parts_of
from histopatch.database import database
from histopatch.errors import InputError
from histopatch.settings import Split

SPLIT = Split(validation_fraction=0.15, seed=42, parts="given")
PATCHES = pd.DataFrame({"id": [*"abcdef"], "label": [0, 1] * 3})
PARTS = ["train"] * 2 + ["validation"] * 2 + ["held out"] * 2


GIVEN = [*zip("abcdef", PARTS, strict=True)]


@pytest.fixture
def parts():
    """The parts of patches according to what is given."""

    def run(patches=PATCHES, given=GIVEN, **changes) -> list[str]:
        dataset = SimpleNamespace(given_parts=lambda: [pd.DataFrame(given, columns=["id", "part"])])
        with database() as tables:
            tables.load("patches", [patches])
            return [*parts_of(tables, dataset, dataclasses.replace(SPLIT, **changes))]

    return run


def test_each_patch_has_its_part(parts):
    assert parts() == PARTS
    assert parts(PATCHES[::-1]) == PARTS[::-1]


TRAINING = [*zip("abcd", ["train"] * 4, strict=True)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"held_out_fraction": 0.1},
            "^held_out_fraction: 0.1 contradicts `parts: given`, as .* the part 'held out'; remove held_out",
            marks=pytest.mark.input(
                "Table", "`held_out_fraction` or `folds` beside given parts", "refused with the key"
            ),
        ),
        ({"folds": 5}, "^folds: 5 contradicts `parts: given`, as .* the part 'validation'; remove folds"),
        (
            {"patches": PATCHES.assign(label=[0, 1, 1, 1, 0, 1])},
            "^parts: the part 'validation' has positive patches only; .* 2 positive and 0 negative patches",
        ),
        (
            {"patches": PATCHES[:4]},
            "^parts: the part 'held out' has no usable patch; both classes are needed",
        ),
        (
            {"given": [*GIVEN, ("a", "validation")]},
            "^parts: the patch 'a' is in the parts",
        ),
        ({"given": TRAINING}, "^parts: the patch 'e' has no part"),
    ],
)
def test_parts_that_cannot_be_used_are_refused(parts, changes, message):
    with pytest.raises(InputError, match=message):
        parts(**changes)


@pytest.mark.input("Table", "a part with one class only", "refused with the part")
def test_a_part_of_one_class_is_named(parts):
    with pytest.raises(InputError, match="the part 'train' has negative patches only"):
        parts(PATCHES.assign(label=[0, 0, 0, 1, 0, 1]))


def test_what_is_not_given_may_be_drawn(parts):
    assert parts(PATCHES[:4], TRAINING, held_out_fraction=0.1, folds=3) == ["train"] * 4
