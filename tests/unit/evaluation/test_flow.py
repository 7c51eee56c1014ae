from types import SimpleNamespace

import pandas as pd
import pytest

from histopatch.data.clean import clean_files
from histopatch.evaluation.flow import COLUMNS, flow_table
from histopatch.files import read_table
from histopatch.settings import Cleaning

CLEANING = Cleaning(near_blank_std=6, near_blank="reject")


@pytest.fixture
def flow(tmp_path):
    """The flow of images and label rows, cleaned by the pipeline's own step, into a split."""

    def run(images: dict[str, float], aside: dict[str, str], rows: list[tuple], slides=None, fold=None):
        """images: standard deviation by id; aside: reason by id; rows: `id,label`; slides, fold: by id."""
        paths = {name: str(tmp_path / f"{name}.csv") for name in ("index", "aside", "clean", "bad", "split")}
        pd.DataFrame({"id": [*images], "std": [*images.values()], "mean": 200}).to_csv(paths["index"])
        pd.DataFrame({"id": [*aside], "file": [*aside], "reason": [*aside.values()]}).to_csv(paths["aside"])
        labels = pd.DataFrame(rows, columns=["id", "label"])
        labels.insert(0, "row", range(2, len(labels) + 2))
        known = pd.DataFrame(slides.items(), columns=["id", "slide"]) if slides else None
        data = SimpleNamespace(
            name="kaggle",
            where="labels.csv",
            labels=lambda: [labels],
            slides=lambda: None if known is None else [known],
            files=lambda _: [],
        )
        clean_files(
            data,
            paths["index"],
            paths["aside"],
            CLEANING,
            paths["clean"],
            paths["bad"],
            str(tmp_path / "s.json"),
        )
        split = read_table(paths["clean"])
        split["slide"] = [(slides or {}).get(name, "") for name in split.id]
        split["fold"] = [(fold or {}).get(name, 0) for name in split.id]
        split.to_csv(paths["split"], index=False)
        flow_table(
            *(paths[name] for name in ("index", "aside", "bad", "split")), data, str(tmp_path / "flow.csv")
        )
        return read_table(tmp_path / "flow.csv")

    return run


IMAGES = {"a": 30, "b": 30, "c": 30, "d": 30, "blank": 1, "both": 30, "unlabelled": 30, "odd": 30}
ASIDE = {"broken": "cannot be read", "twin": "same id as a.tif", "torn": "same id as b.tif"}
ROWS = [
    ("a", "0"), ("b", "1"), ("c", "1"), ("d", "0"), ("blank", "0"), ("both", "0"), ("both", "1"),
    ("odd", "2"), ("a", "0"), ("nowhere", "1"), ("broken", "0"),
]  # fmt: skip
SLIDES = {
    "a": "s1",
    "b": "s1",
    "c": "s2",
    "d": "s2",
    "blank": "s3",
    "both": "s1",
    "broken": "s4",
    "odd": "s3",
}
FOLDS = {"a": -1, "b": 0, "c": 1, "d": -2}


def counts(table: pd.DataFrame, step: str) -> dict[str, int]:
    chosen = table[table.step == step]
    return dict(zip(chosen.reason, chosen["count"], strict=True))


def test_every_image_that_is_left_out_has_its_reason(flow):
    table = flow(IMAGES, ASIDE, ROWS, SLIDES, FOLDS)
    assert [*table.columns] == COLUMNS
    assert counts(table, "image excluded") == {
        "image set aside: same id": 2, "image set aside: cannot be read": 1, "near blank": 1,
        "conflicting labels": 1, "label is not 0 or 1": 1, "no label": 1,
    }  # fmt: skip


def test_every_label_row_that_is_left_out_has_its_reason(flow):
    assert counts(flow(IMAGES, ASIDE, ROWS, SLIDES, FOLDS), "row excluded") == {
        "conflicting labels": 2, "near blank": 1, "label is not 0 or 1": 1, "duplicate row": 1, "no image": 1,
        "image set aside": 1,
    }  # fmt: skip


@pytest.mark.parametrize("total", ["image", "label row"])
def test_what_is_left_out_and_what_is_used_add_up(flow, total):
    table = flow(IMAGES, ASIDE, ROWS, SLIDES, FOLDS).set_index("step")
    excluded = table.loc[table.index == f"{total.removeprefix('label ')} excluded", "count"].sum()
    assert table.loc[total, "count"] == excluded + table.loc["patch", "count"]
    sides = ["training", "fold 0", "fold 1", "held out"]
    assert table.loc["patch", "count"] == table.loc[sides, "count"].sum() == 4


def test_the_sides_of_the_split_come_in_order_with_their_positives_and_slides(flow):
    table = flow(IMAGES, ASIDE, ROWS, SLIDES, FOLDS)
    sides = table[table.step.isin(["patch", "training", "fold 0", "fold 1", "held out"])]
    assert [*sides.step] == ["patch", "training", "fold 0", "fold 1", "held out"]
    assert [*sides.positive] == [2, 0, 1, 1, 0]
    assert [*sides.slides] == [2, 1, 1, 1, 1]
    assert [*sides.positive_slides] == [2, 0, 1, 1, 0]


def test_slides_of_which_no_patch_is_left_are_seen(flow):
    """Of s3 all patches are left out, and of s4, whose only image is broken."""
    table = flow(IMAGES, ASIDE, ROWS, SLIDES).set_index("step")
    assert (table.loc["image", "slides"], table.loc["patch", "slides"]) == (4, 2)


def test_where_no_slides_are_known_none_are_counted(flow):
    assert flow(IMAGES, ASIDE, ROWS)[["slides", "positive_slides"]].isna().all(axis=None)


def test_without_exclusions_nothing_is_excluded(flow):
    table = flow({"a": 30, "b": 30}, {}, [("a", "0"), ("b", "1")])
    assert [*table.step] == ["image", "label row", "patch", "fold 0"]
