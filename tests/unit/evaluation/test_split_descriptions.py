import dataclasses

import pytest

from histopatch.evaluation.split_descriptions import describe_split, evaluated_on
from histopatch.settings import Split

HOLDOUT = Split(validation_fraction=0.15, seed=42)


@pytest.mark.parametrize(
    ("group_by", "short", "long"),
    [
        (
            "none",
            "random patches: expect less on new slides",
            "draws patches at random: expect less on slides",
        ),
        ("slide", "unseen slides", "keeps each slide on one side"),
        ("appearance", "unseen appearance, a stand-in for slides", "a stand-in for slides"),
    ],
)
def test_the_kind_of_a_split_is_said(group_by, short, long):
    split = dataclasses.replace(HOLDOUT, group_by=group_by)
    assert evaluated_on(split) == short
    text = describe_split("main", split)
    assert text.startswith("Split `main` ")
    assert long in text
    assert "fold" not in text
    assert "held out" not in text


def test_folds_and_what_is_held_out_are_said():
    text = describe_split("main", dataclasses.replace(HOLDOUT, folds=5, held_out_fraction=0.15))
    assert "Each of its 5 folds is the validation set once" in text
    assert "15% of the patches are held out and used for no choice." in text


def test_patches_without_a_slide_are_mentioned():
    split = dataclasses.replace(HOLDOUT, group_by="slide", unmapped="own_group")
    assert "Patches without a slide count as slides of their own." in describe_split("main", split)
