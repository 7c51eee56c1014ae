import pandas as pd
import pytest

from histopatch.data.names import fault, match_ids, quote, spoiled, tidy


@pytest.mark.input(
    "Label file",
    "Blanks around ids, invisible characters, or accents in another Unicode form, as macOS writes them",
    "taken without them, in one form",
)
@pytest.mark.parametrize(
    "written", [" é ", "e\u0301", "\ufeffé", "\u200bé", "é\u00ad", "\u00a0é\u2003", "é\u200e"]
)
def test_names_that_look_the_same_are_the_same(written):
    assert tidy([written, "plain "]) == ["é", "plain"]


def test_names_keep_what_they_are_made_of():
    names = ["007", "NA", "1.0", "a b", "日本", "ß", "../x", "a\x1bb"]
    assert tidy(names) == names


@pytest.mark.parametrize("name", ["=1+1", "=A1", "+1", "@SUM(A1)", "-2+3", "-1+cmd|' /C calc'!A0"])
def test_what_a_spreadsheet_would_run_is_no_name(name):
    assert fault(name) == "name that a spreadsheet would run as a formula"


@pytest.mark.parametrize(
    "name", ["a=b", "-12", "-a_b.tif", "--", "a+b", "x@y", "1e5", "<b>", "日本", "../../x", "/x"]
)
def test_other_names_are_names(name):
    assert fault(name) == ""


@pytest.mark.parametrize("name", ["a\nb", "a\0", "\x1b[31m", "a\u2028b", "\ud800"])
def test_control_characters_are_a_fault(name):
    assert fault(name) == "control character in the name"


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31m", "\udce9", "x" * 10_000, "\u202e", "'\"", "日本"])
def test_a_quoted_name_is_short_and_harmless_to_a_terminal(name):
    shown = quote(name)
    assert shown.isprintable()
    assert len(shown) < 250


def matched(ids: list[str], known: list[str]) -> list[str]:
    return match_ids(pd.Series(ids, dtype=str), known).tolist()


def test_ids_fit_without_and_with_the_suffix_of_an_image():
    assert matched(["a.tif", "b", "c.PNG"], ["a", "b", "c"]) == ["a", "b", "c"]
    assert matched(["x/a", "b.png"], ["x/a.tif", "b.png"]) == ["x/a.tif", "b.png"]


def test_ids_that_fit_stay():
    assert matched(["a.tif", "a"], ["a.tif", "a"]) == ["a.tif", "a"]


def test_ids_that_fit_nothing_or_several_stay():
    assert matched(["a.txt", "b.tif.x", "c"], ["a", "b", "c.tif", "c.png"]) == ["a.txt", "b.tif.x", "c"]


def test_two_images_do_not_become_one():
    assert matched(["a.tif", "a.png"], ["a"]) == ["a.tif", "a.png"]
    assert matched(["a.tif", "a.tif"], ["a"]) == ["a", "a"]  # a row that is there twice


def test_what_a_spreadsheet_did_is_recognised():
    known = ["007", "a1", "12345"]
    ids = pd.Series(["1.23E+39", "1,2E+10", "7", "a1", "99"], dtype=str)
    numbers, zeros = spoiled(ids, known)
    assert numbers.startswith("2 ids were turned into numbers by a spreadsheet, such as '1.23E+39'")
    assert zeros.startswith("1 ids lost their leading zeros, such as '7' for '007'")


def test_ids_that_fit_are_not_spoiled():
    assert spoiled(pd.Series(["1E5", "7"], dtype=str), ["1E5", "7", "007"]) == []
