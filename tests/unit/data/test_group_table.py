"""Groups of patches from a table."""

import pandas as pd
import pytest

from histopatch.data.formats.kaggle import Kaggle
from histopatch.data.group_table import (
    MOST,
    check_known,
    groups_of,
    read_groups,
    read_named,
    units_of_groups,
    values_of,
    write_groups,
)
from histopatch.database import database
from histopatch.errors import InputError

PATCHES = pd.DataFrame({"id": ["a", "b", "c", "d"], "slide": ["S1", "S1", "s2", ""], "patient": ""})


@pytest.fixture
def groups(csv):
    return lambda *lines: str(csv("groups.csv", *lines))


def grouped(table: pd.DataFrame) -> pd.DataFrame:
    """The groups of PATCHES."""
    with database() as tables:
        tables.load("patches", [PATCHES])
        return pd.concat(groups_of(tables, table))


def test_groups_of_slides_are_those_of_their_patches(groups):
    table = read_groups(groups("slide,site,scanner", "s1,A,x", "S2,B,"))
    found = grouped(table)
    assert found.id.tolist() == ["a", "b", "c", "d"]
    assert found.site.tolist() == ["A", "A", "B", ""]
    assert found.scanner.tolist() == ["x", "x", "", ""]


def test_groups_of_patches_go_by_their_ids(groups):
    table = read_groups(groups("site;id;slide", "A;c.png;s9", "007;a;s9"))
    assert table.columns.tolist() == ["id", "site"]
    assert grouped(table).site.tolist() == ["007", "", "A", ""]


def test_they_are_written_for_each_patch_and_column_and_read_again(tmp_path, csv, groups):
    labels = str(csv("clean.csv", "id,label", "a,0", "b,1", "c,1"))
    dataset = Kaggle(str(tmp_path), slide_map=str(csv("slides.csv", "id,slide", "a,s1", "b,s1", "c,s2")))
    path = str(tmp_path / "named.csv")
    write_groups(labels, groups("slide,site,1", "s1,007,NA"), dataset, path)
    written = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert written.columns.tolist() == ["id", "group", "value"]
    assert len(written) == 6
    with database() as tables:
        tables.load("patches", [pd.DataFrame({"id": ["c", "b"]}, dtype=str)])
        assert values_of(tables, read_named(path, "site"), path).tolist() == ["", "007"]
        assert values_of(tables, read_named(path, "1"), path).tolist() == ["", "NA"]
        tables.run("INSERT INTO patches VALUES ('d', 2)")
        with pytest.raises(
            InputError, match=r"named\.csv: the patch 'd' is not there; remove it and make it"
        ):
            values_of(tables, read_named(path, "site"), path)


BAD = {
    "no id or slide": (["patch,site", "a,A"], "no column 'id' or 'slide'"),
    "no column of groups": (["id,slide", "a,s1"], "no column of groups beside 'id'"),
    "a row twice": (
        ["slide,site", "s1,A", "s1,A"],
        "the slide 's1' is there twice, in lines 2 and 3; keep one",
    ),
    "two values for one": (
        ["slide,site", "s1,A", "S1,B"],
        "the slide 's1' is there twice, in lines 2 and 3, with the site 'A' and 'B'; keep one row",
    ),
    "a row without an id": (["id,site", "a,A", ",B"], "line 3 names no id"),
    "a name that is taken": (["id,patient", "a,A"], "the column 'patient' has a name that is taken"),
    "a name that no table can hold": (["id,a|b", "a,A"], "a column is called 'a|b'"),
    "an empty column": (["id,site", "a,"], "the column 'site' is empty"),
    "a column of numbers": (
        ["id,age", *(f"p{n},{n}" for n in range(MOST + 1))],
        "the column 'age' has 51 different values",
    ),
    "ids twice": (["Id,id,site", "a,b,A"], "there are two columns 'id', in whatever case; keep one"),
    "two columns of one name": (["id,site,site", "a,A,B"], "there are 2 columns 'site'"),
}


@pytest.mark.input("Groups", "a table of groups that contradicts itself", "one line before any job")
@pytest.mark.parametrize("bad", BAD)
def test_a_bad_table_is_refused_in_one_line(groups, bad):
    lines, message = BAD[bad]
    path = groups(*lines)
    with pytest.raises(InputError) as caught:
        read_groups(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.input("Groups", "groups of patches or slides that do not exist", "one line before any job")
def test_who_is_not_in_the_data_set_is_named(groups):
    by_slide = read_groups(groups("slide,site", "s1,A", "s22,B"))
    with pytest.raises(InputError, match=r"g: 1 of 2 slides are not in .* 's22' \(did you mean 's2'\?\)"):
        check_known("g", by_slide, PATCHES.id, PATCHES.slide)
    with pytest.raises(InputError, match="g: names slides, but no slide is known"):
        check_known("g", by_slide, PATCHES.id, pd.Series([""]))
    check_known("g", by_slide[:1], PATCHES.id, PATCHES.slide)
    by_id = read_groups(groups("id,site", "a,A", "x,B"))
    with pytest.raises(InputError, match="g: 1 of 2 ids are not in the data set, the first is 'x'"):
        check_known("g", by_id, PATCHES.id, PATCHES.slide)


def test_a_split_by_a_column_keeps_its_groups_and_slides_whole():
    values = pd.Series(["A", "", "B", "A"])
    a, b, c, d = units_of_groups(PATCHES, values, "site", "stop")
    assert a == b == d != c  # b has the site of its slide


def test_patches_without_a_group_stop_a_split_or_are_groups_of_their_own():
    values = pd.Series(["A", "A", "", ""])
    with pytest.raises(InputError, match=r"^unmapped: 2 of 4 patches have no site in dataset\.groups"):
        units_of_groups(PATCHES, values, "site", "stop")
    assert len({*units_of_groups(PATCHES, values, "site", "own_group")}) == 3


@pytest.mark.input(
    "Groups", "`group_by` a column in which a slide is in two groups", "one line before any job"
)
def test_a_slide_in_two_groups_stops_a_split():
    with pytest.raises(InputError, match=r"^group_by: the slide 'S1' has patches with the site 'A' and 'B'"):
        units_of_groups(PATCHES, pd.Series(["A", "B", "B", "B"]), "site", "stop")


@pytest.mark.parametrize("count", [40, 43, 300, 11_000])
def test_any_number_of_patches_may_be_groups_of_their_own(count):
    patches = pd.DataFrame({"slide": [""] * count, "patient": ""})
    values = pd.Series([f"site {number}" if number < 20 else "" for number in range(count)])
    assert len({*units_of_groups(patches, values, "site", "own_group")}) == count
