import dataclasses
import json
from typing import NamedTuple

import pandas as pd
import pytest

from histopatch import database, files
from histopatch.data import tables
from histopatch.data.clean import clean_files
from histopatch.data.formats.kaggle import Kaggle
from histopatch.errors import InputError
from histopatch.settings import Cleaning
from histopatch.spreadsheets import restored

CLEANING = Cleaning(near_blank_std=6.0)
GOOD = ["a,0", "b,1", "c,0", "d,1"]


class Cleaned(NamedTuple):
    clean: pd.DataFrame
    rejected: pd.DataFrame
    summary: dict

    @property
    def reasons(self) -> list[tuple[str, str]]:
        return list(self.rejected[["id", "reason"]].itertuples(index=False, name=None))


@pytest.fixture
def cleaned(tmp_path, csv):
    """Clean the lines of a label file against the images a to d and x; `blank` names the near-blank ones."""

    def run(*lines, images="abcdx", aside=(), blank="", header="id,label", **changes) -> Cleaned:
        csv("train_labels.csv", header, *lines)
        stats = [f"{name},{i},240,{3.0 if name in blank else 40.0}" for i, name in enumerate(images)]
        index = csv("index.csv", "id,row,mean,std", *stats)
        rejected = csv("aside.csv", "id,file,reason", *aside)
        out = [str(tmp_path / name) for name in ("clean.csv", "rejected.csv", "summary.json")]
        cleaning = dataclasses.replace(CLEANING, **changes)
        clean_files(Kaggle(str(tmp_path)), str(index), str(rejected), cleaning, *out)
        tables = (restored(pd.read_csv(path, dtype={"id": str}, keep_default_na=False)) for path in out[:2])
        return Cleaned(*tables, json.loads((tmp_path / "summary.json").read_text()))

    return run


def test_labels_of_many_blocks_are_cleaned_as_those_of_one(cleaned, monkeypatch):
    lines = [f"p{number:03d}.tif,{number % 3 % 2}" for number in range(300)]
    lines[40:40] = ["p001,1", "p100.TIF,1", ",1", "p002.tif,1", "unknown,1", "p007,2"]
    arguments = {
        "images": [f"p{number:03d}" for number in range(1, 302)],
        "aside": ["p000,p000.tif,unreadable"],
    }
    whole = cleaned(*lines, **arguments)
    for module, name, value in ((tables, "BLOCK", 100), (database, "ROWS", 7), (files, "ROWS_AT_A_TIME", 11)):
        monkeypatch.setattr(module, name, value)
    parts = cleaned(*lines, **arguments)
    pd.testing.assert_frame_equal(parts.clean, whole.clean)
    pd.testing.assert_frame_equal(parts.rejected, whole.rejected)
    assert parts.summary == whole.summary
    assert len({*whole.rejected.reason}) == 7  # few reasons are left out


def test_good_rows_are_kept_in_their_order(cleaned):
    result = cleaned("d,1", "a,0", "c,0", "b,1", images="abcd")
    assert result.clean.to_dict("list") == {"id": ["d", "a", "c", "b"], "label": [1, 0, 0, 1]}
    assert result.rejected.empty
    assert list(result.rejected) == ["id", "reason", "row", "label"]
    assert result.summary == {
        "synthetic": False,
        "before": {"label_rows": 4, "images": 4},
        "after": {"patches": 4, "negative": 2, "positive": 2},
        "images_set_aside": 0,
        "near_blank": {"used": 0, "examples": []},
        "rejected": {},
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",1", "missing id"),
        ("  ,1", "missing id"),
        ("x,", "missing label"),
        ("x,  ", "missing label"),
        ("x,2", "label is not 0 or 1"),
        ("x,0.5", "label is not 0 or 1"),
        pytest.param(
            "x,tumour",
            "label is not 0 or 1",
            marks=pytest.mark.input(
                "Label file", "A word among numbers as label", "rejected: `label is not 0 or 1`"
            ),
        ),
        pytest.param(
            f"{'y' * 1025},1",
            "name of more than 1,024 characters",
            marks=pytest.mark.input(
                "Label file", "An id of more than 1,024 characters", "rejected, and shown shortened"
            ),
        ),
        pytest.param(
            "=1+1,1",
            "name that a spreadsheet would run as a formula",
            marks=pytest.mark.input(
                "Label file",
                "An id that a spreadsheet would run, such as `=HYPERLINK(…)`, `+1`, `@x`",
                "rejected",
            ),
        ),
        pytest.param(
            "a\x1b[31mb,1",
            "control character in the name",
            marks=pytest.mark.input(
                "Label file", "An id with a control character", "rejected, and shown escaped"
            ),
        ),
        ("x,nan", "label is not 0 or 1"),
        ("a,0", "duplicate row"),
        ("y,1", "no image"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_line(cleaned, line, reason):
    result = cleaned(*GOOD[:2], line, *GOOD[2:], images="abcd" if line[0] != "x" else "abcdx")
    assert result.clean.id.tolist() == ["a", "b", "c", "d"]
    (row,) = result.rejected.itertuples()
    assert (row.id, row.reason) == (line.split(",")[0].strip(), reason)
    assert int(row.row) == 4  # the header is line 1
    assert result.summary["rejected"] == {reason: 1}


def test_an_id_with_both_labels_loses_all_its_rows(cleaned):
    result = cleaned(*GOOD, "x,0", "x,1", "x,0")
    assert "x" not in set(result.clean.id)
    assert result.reasons == [("x", "conflicting labels")] * 3
    assert [int(row) for row in result.rejected.row] == [6, 7, 8]


def test_an_unusable_label_makes_no_conflict(cleaned):
    result = cleaned(*GOOD, "x,7", "x,1", "x,")
    assert result.clean.id.tolist() == ["a", "b", "c", "d", "x"]
    assert result.reasons == [("x", "label is not 0 or 1"), ("x", "missing label")]


def test_of_equal_rows_the_first_is_kept(cleaned):
    result = cleaned("x,1", *GOOD, "x,1", "x,1")
    assert result.clean.id.tolist() == ["x", "a", "b", "c", "d"]
    assert result.reasons == [("x", "duplicate row")] * 2


@pytest.mark.parametrize(("text", "label"), [("1.0", 1), ("0.0", 0), (" 1 ", 1), ('"1"', 1)])
def test_labels_may_be_written_in_other_ways(cleaned, text, label):
    result = cleaned(*GOOD, f"x,{text}")
    assert result.clean.set_index("id").label["x"] == label


def test_two_ways_to_write_a_label_are_no_conflict(cleaned):
    assert cleaned(*GOOD, "x,1", "x,1.0").reasons == [("x", "duplicate row")]


def test_ids_stay_as_they_are_written(cleaned):
    result = cleaned("007,0", "7,1", "NA,1", images=["007", "7", "8"])
    assert result.clean.to_dict("list") == {"id": ["007", "7"], "label": [0, 1]}
    assert result.reasons == [("NA", "no image"), ("8", "no label")]


def test_an_image_without_a_row_is_listed(cleaned):
    result = cleaned(*GOOD)
    assert result.reasons == [("x", "no label")]
    assert result.rejected.row.tolist() == [""]


def test_an_image_that_the_pack_set_aside_is_listed_with_the_packs_reason(cleaned):
    result = cleaned(*GOOD, "y,1", images="abcd", aside=["y,y.tif,unreadable: OSError"])
    assert result.reasons == [("y", "image set aside: unreadable: OSError")]
    assert result.summary["images_set_aside"] == 1
    assert result.summary["rejected"] == {"image set aside": 1}


def test_an_image_that_the_pack_set_aside_is_listed_without_a_row_too(cleaned):
    result = cleaned(*GOOD, images="abcd", aside=["y,y.tif,shape 64×64"])
    assert result.reasons == [("y", "image set aside: shape 64×64")]
    assert result.rejected.row.tolist() == [""]


def test_an_image_set_aside_for_its_id_leaves_the_other_image_of_that_id_usable(cleaned):
    result = cleaned(*GOOD, "x,1", aside=["x,x.tif,same id as x.png"], bad_images="stop")
    assert "x" in set(result.clean.id)
    assert result.rejected.empty


@pytest.mark.parametrize(
    ("cleaning", "kept"),
    [
        ({}, True),
        ({"near_blank": "reject"}, False),
        ({"near_blank": "reject", "near_blank_std": 2.0}, True),
    ],
)
def test_near_blank_patches_are_rejected_on_request(cleaned, cleaning, kept):
    result = cleaned(*GOOD, "x,1", blank="x", **cleaning)
    assert ("x" in set(result.clean.id)) == kept
    assert result.reasons == ([] if kept else [("x", "near blank")])


def test_the_first_reason_that_applies_is_given(cleaned):
    result = cleaned(*GOOD, "z,2", "z,", images="abcd")
    assert result.reasons == [("z", "label is not 0 or 1"), ("z", "missing label")]


def test_columns_are_found_by_name(cleaned):
    result = cleaned(*(f"site1, {line.replace(',', ', ')}" for line in GOOD), header="site, id, label")
    assert result.clean.to_dict("list") == {"id": ["a", "b", "c", "d"], "label": [0, 1, 0, 1]}


@pytest.mark.parametrize("header", ["id,target", "name,label"])
def test_a_missing_column_is_named(cleaned, header):
    missing = "label" if header.startswith("id") else "id"
    with pytest.raises(InputError, match=rf"labels\.csv: there is no column '{missing}'"):
        cleaned(*GOOD, header=header)


BAD = ["y,2", "y,", ",1", "a,0", "nowhere,1", "x,1", "b,0"]


def test_counts_add_up(cleaned):
    result = cleaned(
        *GOOD, *BAD, images="abcdxz", aside=["w,w.tif,shape 8×8"], blank="x", near_blank="reject"
    )
    summary = result.summary
    rejected_rows = (result.rejected.row != "").sum()
    assert summary["before"] == {"label_rows": len(GOOD) + len(BAD), "images": 7}
    assert summary["after"]["patches"] == len(result.clean)
    assert summary["after"]["negative"] + summary["after"]["positive"] == len(result.clean)
    assert len(result.clean) + rejected_rows == len(GOOD) + len(BAD)
    assert sum(summary["rejected"].values()) == len(result.rejected)
    assert summary["rejected"] == {
        "conflicting labels": 2,  # of b
        "label is not 0 or 1": 1,
        "missing label": 1,
        "missing id": 1,
        "duplicate row": 1,
        "no image": 1,
        "near blank": 1,
        "no label": 1,
        "image set aside": 1,
    }


OF_ROWS = ["y,2", "y,", ",1", "a,0", "a,1", "nowhere,1"]


@pytest.mark.parametrize("line", OF_ROWS)
def test_bad_rows_stop_the_job_on_request_and_bad_images_do_not(cleaned, line):
    with pytest.raises(InputError, match=r"cleaning\.bad_rows is `stop`") as caught:
        cleaned(*GOOD, line, images="abcd", bad_rows="stop")
    assert "labels.csv: " in str(caught.value)
    assert "in line 6" in str(caught.value) or line == "a,1"  # a conflict begins with the first row
    cleaned(*GOOD, line, images="abcd", bad_images="stop")


OF_IMAGES = {
    "set aside": {"lines": ["y,1"], "images": "abcd", "aside": ["y,y.tif,unreadable: OSError"]},
    "set aside, no row": {"lines": [], "images": "abcd", "aside": ["y,y.tif,unreadable: OSError"]},
    "no row": {"lines": [], "images": "abcdx"},
    "near blank": {"lines": ["x,1"], "images": "abcdx", "blank": "x", "near_blank": "reject"},
}


@pytest.mark.parametrize("case", OF_IMAGES.values(), ids=OF_IMAGES)
def test_bad_images_stop_the_job_on_request_and_bad_rows_do_not(cleaned, case):
    case = dict(case)
    lines = [*GOOD, *case.pop("lines")]
    with pytest.raises(
        InputError, match=r"cleaning\.bad_images is `stop` and there are 1: the first is '[xy]'"
    ):
        cleaned(*lines, **case, bad_images="stop")
    cleaned(*lines, **case, bad_rows="stop")


def test_nothing_bad_stops_nothing(cleaned):
    result = cleaned(*GOOD, images="abcd", bad_rows="stop", bad_images="stop")
    assert len(result.clean) == 4


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a,0", "b,0"], "the usable rows (2 of 2) lack at least one"),
        (["a,0", "y,1"], "'no image'"),
        (
            [],
            "the usable rows (0 of 0) lack at least one; the most common reason for rejection is 'no label'",
        ),
    ],
)
def test_both_classes_are_needed(cleaned, lines, message):
    images = "ab" if lines else "abcd"
    with pytest.raises(InputError, match=r"labels\.csv: both classes are needed") as caught:
        cleaned(*lines, images=images)
    assert message in str(caught.value)


def test_the_labels_of_real_patches_are_all_usable(sample, tmp_path, cleaned):
    lines = (sample / "train_labels.csv").read_text().splitlines()[1:]
    result = cleaned(*lines, images=[line.split(",")[0] for line in lines])
    assert result.summary["after"] == {"patches": 4000, "negative": 2398, "positive": 1602}


@pytest.mark.input(
    "Label file", "Ids with the suffix of an image (`a.tif` for `a`)", "taken where it fits, and said"
)
def test_a_suffix_in_ids_is_taken_where_it_fits(cleaned, caplog):
    result = cleaned("a.tif,0", "b.TIFF,1", "c,0", "d.jpg,1", "e.tif,1", images="abcd")
    assert result.clean.id.tolist() == ["a", "b", "c", "d"]
    assert result.reasons == [("e.tif", "no image")]
    assert (
        "3 ids differ from those of the images by a suffix only and were taken, such as 'a.tif' for 'a'"
        in caplog.text
    )


@pytest.mark.input(
    "Label file", "Ids that a spreadsheet made numbers (`1.23E+39`) or took the zeros of (`7` for `007`)",
    "rejected: `no image`, and said with an example",
)  # fmt: skip
def test_what_a_spreadsheet_did_to_ids_is_said(cleaned, caplog):
    result = cleaned(*GOOD, "1.23E+39,1", "7,1", images=[*"abcd", "007"])
    assert ("7", "no image") in result.reasons
    assert "1 ids were turned into numbers by a spreadsheet, such as '1.23E+39'" in caplog.text
    assert "1 ids lost their leading zeros, such as '7' for '007'" in caplog.text


@pytest.mark.input(
    "Label file",
    "Rows that cannot be used",
    "rejected with a reason; a warning counts them and quotes one of each kind",
)
def test_rejections_are_a_warning_that_quotes_one_of_each(cleaned, caplog):
    cleaned(*GOOD, "y,1", "z,1", ",1", aside=["w,w.tif,unreadable: empty"])
    (record,) = (r for r in caplog.records if "rejected" in r.message)
    assert record.levelname == "WARNING"
    assert record.message.startswith(
        "rejected rows or images: 5, namely no image: 2 (first: 'y' in line 6), "
    )
    assert "missing id: 1" in record.message
    assert "no label: 1 (first: 'x'), image set aside: 1 (first: 'w')" in record.message
    assert "rejected.csv" in record.message


@pytest.mark.input(
    "Images",
    "Patches of hardly any contrast, black or white",
    "used unless `cleaning.near_blank: reject`; counted and named in the log and the summary",
)
@pytest.mark.parametrize("near_blank", ["keep", "reject"])
def test_near_blank_patches_are_named_whatever_is_done_with_them(cleaned, caplog, near_blank):
    result = cleaned(*GOOD, "x,1", blank="x", near_blank=near_blank)
    used = near_blank == "keep"
    assert result.summary["near_blank"] == {"used": int(used), "examples": ["x"]}
    assert (
        "near-blank patches that are used all the same: 1, such as 'x' (mean 240 of 255)" in caplog.text
    ) == used
    assert ("near blank: 1 (first: 'x' in line 6)" in caplog.text) == (not used)
