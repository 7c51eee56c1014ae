import pandas as pd
import pytest

from histopatch.data.units import describe_similar, similar_names, spelling, units_of


@pytest.mark.parametrize(
    ("one", "other"), [("S1", "s1"), ("1", "1.0"), ("1.0", "1.00"), ("Straße", "STRASSE")]
)
def test_names_that_programs_change_have_one_spelling(one, other):
    names = pd.Series([one, "x", other], index=[5, 6, 7])
    spelled = spelling(names)
    assert spelled[5] == spelled[7] != spelled[6]


@pytest.mark.parametrize(("one", "other"), [("1", "10"), ("a.0b", "ab"), ("s1", "s-1"), ("1.5", "1")])
def test_other_names_stay_apart(one, other):
    assert spelling(pd.Series([one, other])).nunique() == 2


def test_similar_names_are_found_each_once_and_told_with_an_example():
    names = pd.Series(["s1", "S1", "s1", "", "2.0", "x", "2"])
    similar = similar_names(names)
    assert similar == [["2", "2.0"], ["S1", "s1"]]
    assert describe_similar("slide", similar) == "4 slide names differ only by case or `.0`: '2', '2.0'"
    assert similar_names(pd.Series(["", "a", "b"])) == []


def test_patches_of_a_slide_are_one_unit_and_a_patch_without_one_is_its_own():
    table = pd.DataFrame({"slide": ["s", "t", "", "S", ""], "patient": ""})
    s, t, own, same, other = units_of(table, "slide")
    assert s == same
    assert len({s, t, own, other}) == 4


def test_a_patch_without_a_patient_counts_with_its_slide():
    table = pd.DataFrame({"slide": [*"sttuu", ""], "patient": [*"ppq", "", "", ""]})
    units = units_of(table, "patient")
    assert units[0] == units[1]
    assert units[3] == units[4]
    assert len({*units}) == 4
