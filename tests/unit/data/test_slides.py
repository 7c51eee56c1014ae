from collections.abc import Callable, Sequence

import pandas as pd
import pytest

from histopatch.data.formats.kaggle import Kaggle
from histopatch.data.slides import check_mapped, check_slides, find_slides, groups_in, read_slide_map
from histopatch.database import Database
from histopatch.errors import InputError

IDS = ["a", "b", "c"]


@pytest.fixture
def find(csv, tmp_path, tables):
    """The slides of IDS according to the lines of a slide map."""

    def run(*lines: str, ids: Sequence[str] = IDS, columns=()) -> pd.DataFrame:
        path = str(csv("slides.csv", *lines)) if lines else None
        tables.load("patches", [pd.DataFrame({"id": ids})])
        find_slides(tables, Kaggle(str(tmp_path), slide_map=path, slide_columns=dict(columns)))
        return tables.table("SELECT slide, patient FROM patches ORDER BY place")

    return run


@pytest.mark.parametrize(
    ("lines", "columns"),
    [
        pytest.param(
            ["id,wsi", "a,1", "b,1", "c,2"], {},
            marks=pytest.mark.input("Slide map", "CSV `id,slide` or `id,wsi`", "read"),
        ),
        pytest.param(
            ["patch,scan,centre", "a,1,x", "b,1,y", "c,2,"], {"id": "patch", "slide": "scan"},
            marks=pytest.mark.input(
                "Slide map", "other column names, further columns", "named in dataset.slide_columns; ignored"
            ),
        ),
        pytest.param(
            ["id,slide", "c,2", "a, 1", "x,3", "b,1 "], {},
            marks=pytest.mark.input("Slide map", "any order, more patches, blanks around names", "read"),
        ),
        pytest.param(
            ["id,slide", "a.tif,1", "b.tif,1", "c.tif,2"], {},
            marks=pytest.mark.input("Slide map", "ids with `.tif`", "taken where they fit"),
        ),
        pytest.param(
            ["id,slide", "a,1", "a,1", "b,1", "c,2"], {},
            marks=pytest.mark.input("Slide map", "an id twice with one slide", "read once"),
        ),
    ],
)  # fmt: skip
def test_slides_are_found(find, lines, columns):
    found = find(*lines, columns=columns)
    assert found.slide.tolist() == ["1", "1", "2"]
    assert found.patient.tolist() == ["", "", ""]


def test_ids_of_patches_with_a_suffix_fit_a_map_without(find):
    assert find("id,slide", "x,1", ids=["x.tif"]).slide.tolist() == ["1"]


def test_what_is_not_known_is_an_empty_text(find):
    assert find("id,slide,patient", "b,1,p").to_numpy().tolist() == [["", ""], ["1", "p"], ["", ""]]


def test_where_no_slides_are_known_all_texts_are_empty(find):
    assert (find() == "").all(axis=None)


def test_a_patch_has_the_patient_of_its_slide(find):
    found = find("id,slide,patient", "a,1,p", "b,1,", "c,2,")
    assert found.patient.tolist() == ["p", "p", ""]


def test_rows_of_one_patch_may_leave_the_patient_of_its_slide_to_others(find):
    """With and without a suffix they are one patch, whose slide has one patient."""
    assert find("id,slide,patient", "a.png,1,p", "a,1,", "b,2,q").patient.tolist() == ["p", "q", ""]


def test_a_slide_that_is_spelled_in_two_ways_has_one_patient(find):
    """Else a split by patient would tear it apart."""
    assert find("id,slide,patient", "a,S1,p", "b,s1,", "c,S1.0,P").patient.tolist() == ["p", "p", "P"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        pytest.param(
            ["id,slide", "a,1", "b,2", "a,3"],
            r"slides\.csv: the id 'a' appears twice, with the slides '1' and '3'",
            marks=pytest.mark.input("Slide map", "an id with two slides", "refused with both"),
        ),
        (["id,slide", "a,1", "a.tif,2"], r"the id 'a' appears twice, with the slides '1' and '2'"),
        (["id,slide", "a,1", "a,"], r"the id 'a' appears twice, with the slides '1' and ''"),
        (["id,slide,patient", "a,1,p", "a,1,q"], r"the id 'a' appears twice, with the patients 'p' and 'q'"),
        pytest.param(
            ["id,slide,patient", "a,1,p", "b,2,p", "c,1,q"],
            r"the slide '1' is of the patient 'p' and of 'q'",
            marks=pytest.mark.input("Slide map", "a slide of two patients", "refused with both"),
        ),
        (["id,slide,patient", "a,S1,p", "b,s1,q"], r"the slide 'S1' is of the patient 'p' and of 'q'"),
        pytest.param(
            ["id,slide", "p1,1", "p2,1"],
            r"slides\.csv: no id is that of a patch, such as 'p1'; patches have ids such as 'a'",
            marks=pytest.mark.input("Slide map", "no id is that of a patch", "refused: an id of each"),
        ),
        pytest.param(
            ["id,patient", "a,p"], r"slides\.csv: there is no column 'slide'",
            marks=pytest.mark.input("Slide map", "a column is missing", "refused with the columns there are"),
        ),
    ],
)  # fmt: skip
def test_a_map_that_contradicts_itself_or_fits_nothing_is_refused(find, lines, message):
    with pytest.raises(InputError, match=message) as caught:
        find(*lines)
    assert "\n" not in str(caught.value)


def test_groups_are_known_where_any_patch_has_one(csv):
    assert groups_in(None) == ()
    path = csv("slides.csv", "id,slide,patient", "a,1,", "b,,")
    assert groups_in(read_slide_map(str(path), {})) == ("slide",)
    known = check_slides(pd.DataFrame({"id": ["a"], "patient": ["p"]}), "table.csv")
    assert groups_in([known]) == ("patient",)


@pytest.fixture
def mapped(tables: Database) -> Callable:
    """Check patches of which one has a slide, and none a patient."""

    def run(group_by: str, unmapped: str, slides=("s", "", "")) -> None:
        tables.load("patches", [pd.DataFrame({"id": IDS, "slide": slides, "patient": ""})])
        check_mapped(tables, group_by, unmapped, "slides.csv")

    return run


def test_splits_that_keep_no_slides_whole_need_none(mapped):
    mapped("none", "stop")


def test_patches_without_a_slide_may_be_groups_of_their_own(mapped):
    mapped("slide", "own_group")


def test_splits_that_keep_slides_whole_need_them(mapped):
    message = (
        r"^unmapped: 2 of 3 patches have no slide in slides\.csv, the first is 'b'; .* `unmapped: own_group`"
    )
    with pytest.raises(InputError, match=message):
        mapped("slide", "stop")


def test_splits_by_patient_need_one(mapped):
    with pytest.raises(InputError, match=r"^group_by: no patient is known; .* a column `patient`"):
        mapped("patient", "own_group")


def test_splits_by_slide_need_one(mapped):
    with pytest.raises(
        InputError, match=r"^group_by: no slide is known; name a slide map in dataset\.slides"
    ):
        mapped("slide", "own_group", slides=["", "", ""])
