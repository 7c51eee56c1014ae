import dataclasses

import numpy as np
import pytest

from histopatch.data.class_counts import check_possible, check_validation
from histopatch.errors import InputError
from histopatch.settings import Split

SPLIT = Split(validation_fraction=0.15, seed=42)


def labels(positive: int, count: int = 2000) -> np.ndarray:
    return (np.arange(count) < positive).astype(int)


@pytest.mark.parametrize(
    ("positive", "changes", "message"),
    [
        pytest.param(
            4, {},
            "validation_fraction: 0.15 is impossible: of the 300 patches that validate 1 is positive, and "
            "at least 2",
            marks=pytest.mark.input(
                "Label file",
                "too few patches of a class for the split (4 positive ones of 2,000)",
                "refused with the number needed and the number found",
            ),
        ),
        (
            2, {},
            "validation_fraction: 0.15 is impossible: there are only 2 patches of a class (positive), and at "
            "least 3 are needed: 2 to validate, 1 to train",
        ),
        (
            2, {"held_out_fraction": 0.1},
            "validation_fraction: 0.15 is impossible: there are only 2 patches of a class (positive), and at "
            "least 3 are needed: 1 to validate, 1 to train, 1 to hold out",
        ),
        (
            4, {"folds": 5},
            "folds: 5 is impossible: there are only 4 patches of a class (positive), and at least 5 are "
            "needed: 1 in each fold",
        ),
        (
            5, {"folds": 5, "held_out_fraction": 0.1},
            "folds: 5 is impossible: there are only 5 patches of a class (positive), and at least 6 are "
            "needed: 1 in each fold, 1 to hold out",
        ),
        (1998, {"folds": 3}, "folds: 3 is impossible: there are only 2 patches of a class (negative)"),
    ],
)  # fmt: skip
def test_too_few_patches_are_refused_before_a_draw(positive, changes, message):
    with pytest.raises(InputError) as caught:
        check_possible(labels(positive), None, dataclasses.replace(SPLIT, **changes))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("positive", "changes"),
    [(7, {}), (4, {"validation_fraction": 0.5}), (5, {"folds": 5}), (3, {"held_out_fraction": 0.1})],
)
def test_enough_patches_are_enough(positive, changes):
    check_possible(labels(positive), None, dataclasses.replace(SPLIT, **changes))


@pytest.mark.parametrize(
    ("groups", "changes", "needed"), [(1, {}, 2), (2, {"held_out_fraction": 0.1}, 3), (4, {"folds": 5}, 5)]
)
def test_positives_in_too_few_slides_are_refused(groups, changes, needed):
    """100 positives, all in the first slides."""
    split = dataclasses.replace(SPLIT, group_by="slide", **changes)
    slides = np.where(np.arange(2000) < 100, np.arange(2000) % groups, np.arange(2000) % 50)
    with pytest.raises(
        InputError, match=f"positive patches are in {groups} of them, and at least {needed} are"
    ):
        check_possible(labels(100), slides, split)
    slides[:100] = np.arange(100) % needed
    check_possible(labels(100), slides, split)


@pytest.mark.parametrize(
    ("parts", "key"), [("drawn", "validation_fraction: 0.15"), ("given", "parts: given")]
)
def test_a_validation_part_that_cannot_be_halved_is_refused_unless_something_is_held_out(parts, key):
    split = dataclasses.replace(SPLIT, parts=parts)
    folds = np.array([-1, -1, 0, 0, 0, 0])
    values = np.array([0, 1, 0, 0, 0, 1])
    with pytest.raises(
        InputError, match=f"^{key} is impossible: of the 4 patches that validate 1 is positive"
    ):
        check_validation(values, folds, split)
    check_validation(np.append(values, 1), np.append(folds, -2), split)
    check_validation(values, folds, dataclasses.replace(split, folds=2))
