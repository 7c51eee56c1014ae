from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from histopatch.data.formats.format import plain, restore
from histopatch.data.formats.table import Table
from histopatch.data.slides import find_slides
from histopatch.errors import InputError

ROWS = ("path,label", "imgs/a.png,1", "imgs/b.png,0")


@pytest.fixture
def table(tmp_path):
    """Write a table of the images a, b and c, and read it as a data set."""
    (tmp_path / "imgs").mkdir()
    for name in "abc":
        Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(tmp_path / f"imgs/{name}.png")

    def make(*lines: str, file: str = "t.csv", **keys) -> Table:
        (tmp_path / file).write_text("".join(f"{line}\n" for line in lines))
        dataset = {"table": str(tmp_path / file), "columns": {}, "slide_columns": {}, "patch_size": "auto"}
        return Table.read(dataset | keys, "results/mine")

    return make


def refusal(dataset: Table) -> str:
    with pytest.raises(InputError) as caught:
        dataset.check()
        pd.concat(dataset.slides())
    message = str(caught.value)
    assert message.isprintable() and len(message) < 500
    return message


@pytest.mark.input("Table", "paths relative to the table, or to `dataset.root`", "read")
@pytest.mark.parametrize("root", [None, "imgs"])
def test_a_table_is_read(table, tmp_path, root):
    keys = {"root": str(tmp_path / root)} if root else {}
    dataset = table(
        "path,label", *(f"{'' if root else 'imgs/'}{row}" for row in ("a.png,1", "b.png,0")), **keys
    )
    dataset.check()
    images = dataset.images("train")
    assert images.ids == images.files
    assert [images.size(number) for number in range(2)] == [(32, 32), (32, 32)]
    assert pd.concat(dataset.labels()).assign(id=images.ids).equals(pd.concat(dataset.labels()))
    assert [*pd.concat(dataset.labels()).label] == ["1", "0"]
    assert (dataset.parts, dataset.slides(), dataset.given_parts()) == (("train",), None, None)
    assert (dataset.gives_held_out, dataset.known_groups) == (False, ())


@pytest.mark.input(
    "Table", "columns of other names, words as labels", "read where `dataset.columns` and `positive` say so"
)
def test_columns_may_have_other_names(table):
    columns = {"path": "file", "label": "class", "slide": "wsi_id", "patient": "case", "part": "set"}
    dataset = table(
        "file,class,wsi_id,case,set",
        "imgs/a.png,tumor,s1,p1,Train",
        "imgs/b.png,normal,s2,p1,held out",
        "imgs/c.png,,,,test",
        columns=columns,
        positive="tumor",
    )
    dataset.check()
    images = restore(plain(dataset, "images"))
    assert images.images("train").ids == ["imgs/a.png", "imgs/b.png"]
    assert images.images("test").ids == ["imgs/c.png"]
    labels = pd.concat(restore(plain(dataset, "labels")).labels())
    assert labels.to_dict("list") == {"row": [2, 3], "id": images.images("train").ids, "label": ["1", "0"]}
    slides = restore(plain(dataset, "slides"))
    assert pd.concat(slides.slides())[["slide", "patient"]].values.tolist() == [["s1", "p1"], ["s2", "p1"]]
    assert [*pd.concat(slides.given_parts()).part] == ["train", "held out"]
    assert dataset.known_groups == ("patient", "slide")
    assert dataset.gives_held_out


def test_an_edit_of_a_label_changes_nothing_that_the_images_depend_on(table):
    before = plain(table(*ROWS), "images")
    assert before == plain(table(*ROWS[:2], "imgs/b.png,1"), "images")
    assert not {"label_column", "positive"} & {*before}
    assert table(*ROWS).files("images") == []


@pytest.mark.input("Table", "columns `slide` or `wsi`, and `patient`", "read without being named")
@pytest.mark.parametrize("name", ["slide", "wsi"])
def test_slides_are_found_by_their_usual_names(table, name):
    dataset = table(f"path,label,{name},patient", "imgs/a.png,1,s1,", "imgs/b.png,0,s2,")
    assert [*pd.concat(dataset.slides()).slide] == ["s1", "s2"]
    assert dataset.known_groups == ("slide",)


@pytest.mark.input("Table", "TSV or Parquet", "read")
@pytest.mark.parametrize("kind", ["tsv", "parquet"])
def test_other_kinds_of_tables_are_read(table, tmp_path, kind):
    path = tmp_path / f"other.{kind}"
    rows = pd.DataFrame({"path": ["imgs/a.png", "imgs/b.png"], "label": [1, 0]})
    rows.to_csv(path, sep="\t", index=False) if kind == "tsv" else rows.to_parquet(path)
    dataset = table(*ROWS, **{"table": str(path)})
    dataset.check()
    assert dataset.images("train").ids == ["imgs/a.png", "imgs/b.png"]
    assert [*pd.concat(dataset.labels()).label] == ["1", "0"]


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(
            "imgs\\a.png", marks=pytest.mark.input("Table", "backslashes between folders", "taken for `/`")
        ),
        pytest.param(
            "./imgs//a.png",
            marks=pytest.mark.input(
                "Table", "`./`, `//` or `../` in a path", "resolved, so that a file has one id"
            ),
        ),
        "imgs/../imgs/a.png",
        " imgs/a.png ",
    ],
)
def test_a_path_has_one_id_however_it_is_written(table, written):
    dataset = table("path,label", f"{written},1", "imgs/a.png,0")
    dataset.check()
    assert [*pd.concat(dataset.labels()).id] == ["imgs/a.png"] * 2
    assert dataset.images("train").ids == dataset.images("train").files == ["imgs/a.png"]


def test_a_slide_map_may_write_paths_likewise(table, tmp_path):
    (tmp_path / "map.csv").write_text("id,slide\nimgs\\a.png,s1\n./imgs/b.png,s2\n")
    dataset = table(*ROWS, slides=str(tmp_path / "map.csv"))
    dataset.check()
    assert [*pd.concat(dataset.slides()).id] == ["imgs/a.png", "imgs/b.png"]
    assert dataset.files("slides") == [str(tmp_path / "t.csv"), str(tmp_path / "map.csv")]


@pytest.mark.input("Table", "an absolute path", "read")
def test_absolute_paths_are_read(table, tmp_path):
    dataset = table("path,label", f"{tmp_path}/imgs/a.png,1", "imgs/b.png,0", root=str(tmp_path / "imgs/.."))
    dataset.check()
    assert dataset.images("train").size(0) == (32, 32)


@pytest.mark.parametrize("called", ["imgs\\d.png", "imgs/cafe\u0301.png"], ids=["backslash", "decomposed"])
def test_a_file_is_found_however_it_is_called(table, tmp_path, called):
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(tmp_path / called)
    images = table("path,label", f"{called},1", "imgs/a.png,0").images("train")
    assert images.files[0] == called
    assert images.ids[0] in ("imgs/d.png", "imgs/caf\u00e9.png")
    assert images.size(0) == (32, 32)


@pytest.mark.input("Table", "a path without a file, or of a folder", "the row is rejected: `no image`")
@pytest.mark.parametrize("path", ["imgs/none.png", "none/a.png", "imgs", "imgs/", "imgs/a.png/x", "../"])
def test_a_path_without_an_image_is_left_to_cleaning(table, path):
    dataset = table(*ROWS, f"{path},1")
    dataset.check()
    assert dataset.images("train").ids == ["imgs/a.png", "imgs/b.png"]
    assert len(pd.concat(dataset.labels())) == 3


@pytest.mark.input("Table", "none of the images is there", "refused with an example and `dataset.root`")
def test_a_wrong_root_is_named(table, tmp_path):
    message = refusal(table(*ROWS, root=str(tmp_path / "imgs")))
    assert message.startswith(f"{tmp_path}/t.csv: none of the 2 images is there, such as ")
    assert f"'{tmp_path}/imgs/imgs/a.png' of line 2; set dataset.root" in message
    assert "no such folder; dataset.root" in refusal(table(*ROWS, root=str(tmp_path / "none")))


def test_what_is_missing_is_named(table, tmp_path):
    assert "no such file; dataset.slides" in refusal(table(*ROWS, slides=str(tmp_path / "none.csv")))
    dataset = table(*ROWS)
    Path(dataset.table).unlink()
    assert refusal(dataset).startswith(f"{dataset.table}: no such file; dataset.table")
    assert (dataset.known_groups, dataset.gives_held_out) == ((), False)


PART = {"part": "part"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param(
            ["imgs/a.png,1,dev"], "line 2: the part is 'dev'; use one of train,",
            marks=pytest.mark.input("Table", "a part of another name, or none", "refused with the line"),
        ),
        pytest.param(["imgs/a.png,1,train", "imgs/b.png,0,"], "line 3: the part is ''; use one of"),
        pytest.param(
            ["imgs/a.png,1,train", "imgs/b.png,0,val", "imgs/a.png,1,val"],
            "'imgs/a.png' is 'train' in line 2 and 'validation' in line 4; keep one",
            marks=pytest.mark.input("Table", "an image in two parts", "refused with both lines"),
        ),
        pytest.param(
            ["imgs/a.png,1,train", "./imgs/a.png,,test"],
            "'imgs/a.png' is 'train' in line 2 and 'test' in line 3; keep one",
        ),
        pytest.param(
            ["imgs/a.png,1,train", "imgs/b.png,0,test"],
            "line 3: a patch of the part `test` has the label '0'; call the part `held out` if",
            marks=pytest.mark.input(
                "Table", "a label in the part `test`", "refused: `held out` measures the final model"
            ),
        ),
        pytest.param(
            ["imgs/a.png,,test"], "all patches are of the part `test`; others are needed to train on",
            marks=pytest.mark.input("Table", "no patch but those of the part `test`", "refused"),
        ),
        pytest.param(
            ["imgs/a.png,1,train", "imgs/b.png,,test", "imgs/none.png,,test"],
            "1 of 2 images to predict are not there, such as",
            marks=pytest.mark.input("Table", "a missing image of the part `test`", "refused with the line"),
        ),
    ],
)  # fmt: skip
def test_parts_that_contradict_something_are_refused(table, rows, message):
    dataset = table("path,label,part", *rows, columns=PART)
    assert f"{dataset.table}: " in refusal(dataset)
    assert message in refusal(dataset)


@pytest.mark.input(
    "Table", "`dataset.slides` beside `columns.slide` or `columns.patient`", "refused: one of them"
)
@pytest.mark.parametrize("name", ["slide", "patient"])
def test_slides_are_given_once(table, tmp_path, name):
    (tmp_path / "map.csv").write_text("id,slide\nimgs/a.png,s1\n")
    dataset = table(
        f"path,label,{name}", "imgs/a.png,1,x", slides=str(tmp_path / "map.csv"), columns={name: name}
    )
    assert refusal(dataset).startswith("dataset.slides: the slides are in ")


def test_a_patch_of_two_slides_is_refused(table, tables):
    dataset = table("path,label,slide", "imgs/a.png,1,s1", "imgs/a.png,1,s2")
    tables.load("patches", [pd.DataFrame({"id": ["imgs/a.png"]})])
    with pytest.raises(InputError, match=r"'imgs/a\.png' appears twice"):
        find_slides(tables, dataset)


def test_rows_without_a_path_are_left_to_cleaning(table):
    dataset = table("path,label,slide", *(f"{row},s1" for row in ROWS[1:]), ",1,s2", ",0,s3")
    dataset.check()
    assert len(pd.concat(dataset.labels())) == 4
    assert len(pd.concat(dataset.slides())) == 2


def test_a_column_that_the_configuration_names_must_be_there(table):
    with pytest.raises(InputError, match=r"no column 'stain'.*dataset\.columns\.slide"):
        table(*ROWS, columns={"slide": "stain"}).check()
