import dataclasses

import pandas as pd
import pytest

from histopatch.evaluation.split_descriptions import describe_split, evaluated_on, held_out_on
from histopatch.settings import Split

TABLE = pd.DataFrame({"slide": ["a", "a", "b", "c"], "fold": [-1, -1, 0, -2]})
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
        ("patient", "unseen patients", "keeps all slides of a patient on one side"),
        ("appearance", "unseen appearance, a stand-in for slides", "a stand-in for slides"),
    ],
)
def test_the_kind_of_a_split_is_said(group_by, short, long):
    split = dataclasses.replace(HOLDOUT, group_by=group_by)
    assert evaluated_on(split, TABLE) == short
    text = describe_split("main", split)
    assert text.startswith("Split `main` ")
    assert long in text
    assert "fold" not in text
    assert "held out" not in text


def test_folds_and_what_is_held_out_are_said():
    text = describe_split("main", dataclasses.replace(HOLDOUT, folds=5, held_out_fraction=0.15))
    assert "Each of its 5 folds is the validation set once" in text
    assert (
        "About 15 % of the patches, in whole patients or slides where these are known, are held out: no "
        "training and no choice on this split uses them." in text
    )


def test_patches_without_a_slide_are_mentioned():
    split = dataclasses.replace(HOLDOUT, group_by="slide", unmapped="own_group")
    assert "Patches without a slide count as slides of their own." in describe_split("main", split)
    by_patient = dataclasses.replace(HOLDOUT, group_by="patient", unmapped="own_group")
    words = "Patches without a patient count as patients of their own, those of a slide together."
    assert words in describe_split("main", by_patient)


GIVEN = dataclasses.replace(HOLDOUT, parts="given")
FOLDS = [-1, -1, 0, 0, -2, -2]


@pytest.mark.parametrize(
    ("columns", "validation", "held_out"),
    [
        ({"slide": [*"aabbcc"]}, "unseen slides", "unseen slides"),
        ({"slide": [*"aabacc"]}, "1 of 2 slides were also trained on", "unseen slides"),
        ({"slide": [*"aAbb", "", "c"]}, "unseen slides", "unseen slides, as far as slides are known"),
        ({"slide": [*"aabbaA"]}, "unseen slides", "1 of 1 slides were also trained on"),
        ({"slide": [*"aabbcc"], "patient": [*"xxyyzz"]}, "unseen patients", "unseen patients"),
        ({"slide": [*"aabbcc"], "patient": [*"xxxxyy"]}, "unseen slides", "unseen patients"),
        (
            {"slide": [None] * 6},
            "the validation part of the split that the",
            "the held-out part of the data set",
        ),
    ],
)
def test_what_given_parts_share_is_looked_up(columns, validation, held_out):
    table = pd.DataFrame(columns | {"fold": FOLDS})
    assert evaluated_on(GIVEN, table).startswith(validation)
    assert held_out_on(GIVEN, table) == held_out


def test_patches_that_are_held_out_of_a_random_split_are_of_unseen_slides_where_these_are_known():
    assert held_out_on(HOLDOUT, TABLE) == "unseen slides"
    assert held_out_on(HOLDOUT, TABLE.assign(slide=None)).startswith("random patches")


def test_given_parts_are_described():
    text = describe_split("official", dataclasses.replace(GIVEN, group_by="slide", held_out_fraction=0.1))
    assert text.startswith("Split `official` takes the parts that the data set itself gives")
    assert "What it does not give is drawn from its training patches, by whole slides." in text
    assert "About 10 % of the training patches, in whole" in text
