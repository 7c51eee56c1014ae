import pandas as pd
import pytest

from histopatch.data.images import ImageFiles
from histopatch.given_splits.audit import Audited
from histopatch.given_splits.describe import describe, leaks
from histopatch.given_splits.split import PATCHES, GivenSplit
from histopatch.leakage.audit import count_sides, find_pairs, summarise

NO_PAIRS = pd.DataFrame(columns=["kind", "id_a", "id_b"], dtype=str)


@pytest.fixture
def audited():
    """An audit of rows `id label slide patient fold` with pairs `kind id_a id_b`; a dash is not known."""

    def make(rows: list[str], pairs: list[str] = (), notes: tuple[str, ...] = ()) -> Audited:
        patches = pd.DataFrame([row.split() for row in rows], columns=PATCHES).replace("-", "")
        split = GivenSplit("theirs.csv", ImageFiles("images", (), ()), patches, notes)
        same = pd.DataFrame([pair.split() for pair in pairs], columns=NO_PAIRS.columns) if pairs else NO_PAIRS
        found = find_pairs(patches, same)
        return Audited(split, summarise(count_sides(patches), found), found)

    return make


def test_nothing_to_find_and_nothing_left_unchecked(audited):
    clean = audited(["a 0 s p train", "b 1 t q test", "c 1 t q test"])
    assert not leaks(clean)
    assert describe(clean).splitlines() == [
        "theirs.csv: 3 patches on 2 sides (test 2, train 1)",
        "  2 patients",
        "  2 slides",
        "  2 labels: '0', '1'",
        "No leak was found.",
    ]


def test_each_kind_is_told_with_examples(audited):
    rows = ["a 0 s p train", "b 1 s p test", "c 1 t q test", "d 0 u q train", "e 1 v r train", "e 1 v r test"]
    found = audited(rows, ["identical a c", "turned d b", "near e c"])
    assert leaks(found)
    assert describe(found).splitlines()[4:] == [
        "What leaks:",
        "  1 patch on more than one side: 'e' (train, test)",
        "  3 patients on more than one side: 'p' (test 1, train 1); 'q' (test 1, train 1); "
        "'r' (test 1, train 1)",
        "  2 slides on more than one side: 's' (test 1, train 1); 'v' (test 1, train 1)",
        "  1 pair of identical images on more than one side: 'a' (train) = 'c' (test)",
        "  1 pair of flipped or rotated images on more than one side: 'd' (train) = 'b' (test)",
        "  1 pair of near duplicates on more than one side: 'e' (train) = 'c' (test)",
        "  2 image pairs with two labels: 'a' (train, label 0) = 'c' (test, label 1); "
        "'d' (train, label 0) = 'b' (test, label 1)",
    ]


def test_a_few_of_many_examples_are_told(audited):
    rows = [f"{side}{i} - - - {side}" for side in ("train", "test") for i in range(5)]
    text = describe(audited(rows, [f"identical train{i} test{i}" for i in range(5)]))
    assert "  5 pairs of identical images on more than one side: 'train0' (train) = 'test0' (test); " in text
    assert "'train2' (train) = 'test2' (test); …\n" in text
    assert "train3" not in text


def test_two_labels_on_one_side_are_a_finding_too(audited):
    found = audited(["a 0 s p train", "b 1 s p train", "c 1 t q test"], ["identical a b"])
    assert leaks(found)
    assert "1 image pair with two labels: 'a' (train, label 0) = 'b' (train, label 1)" in describe(found)


def test_what_could_not_be_checked_is_told(audited):
    text = describe(
        audited(["a 0 s - train", "b - - - test", "c 1 S - test"], notes=("images set aside: 1",))
    )
    assert text.partition("What could not be checked:\n")[2].splitlines() == [
        "  labels: 1 of 3 patches have none",
        "  slides: 1 of 3 patches have none",
        "  patients: none are known; give a column `patient`, or SLIDES=table.csv with `id,slide,patient`",
        "  2 slide names differ only by case or `.0`: 'S', 's', and count as one",
        "  images set aside: 1",
    ]


def test_a_name_that_a_terminal_would_act_on_is_shown_only(audited):
    text = describe(audited(["a\x1b[2J 0 s p train", "b 0 s p t\x1b[2Jest"], ["identical a\x1b[2J b"]))
    assert "\x1b" not in text
