"""What each layout says, and one line for what cannot be read. No image is opened here."""

from pathlib import Path

import pytest

from histopatch.errors import InputError
from histopatch.given_splits.read import read_split


@pytest.fixture
def folder(tmp_path):
    """Make a folder of files that are called like images."""

    def make(*paths: str, root: str = "images") -> Path:
        for path in paths:
            file = tmp_path / root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        return tmp_path / root

    return make


def read(split, data=None, **tables) -> dict[tuple[str, str], tuple[str, str, str]]:
    """Label, slide and patient by id and side, as a split says them."""
    given = read_split(str(split), data and str(data), **{key: str(path) for key, path in tables.items()})
    return {(row.id, row.fold): (row.label, row.slide, row.patient) for row in given.patches.itertuples()}


def notes(split, data=None) -> tuple[str, ...]:
    return read_split(str(split), data and str(data)).notes


def test_sides_are_called_as_the_table_calls_them(csv, folder):
    data = folder("a.png", "b.png", "c.png")
    assert {*read(csv("t.csv", "id,fold", "a,Train", "b,train", "c,TEST"), data)} == {
        ("a.png", "train"),
        ("b.png", "train"),
        ("c.png", "test"),
    }
    assert {side for _, side in read(csv("t.csv", "id,fold", "a,0", "b,-1", "c,-2.0"), data)} == {
        "fold 0",
        "training",
        "held out",
    }


def test_what_the_split_says_itself_counts_before_other_tables(csv, folder):
    split = csv("t.csv", "id,fold,slide", "a,0,s1", "b,1,")
    slides = csv("slides.csv", "id,slide_id,case_id", "a.png,x,p1", "b.png,s2,p2", "c.png,s3,p3")
    labels = csv("labels.csv", "id,label", "a,1")
    found = read(split, folder("a.png", "b.png"), slides=slides, labels=labels)
    assert found == {("a.png", "fold 0"): ("1", "s1", "p1"), ("b.png", "fold 1"): ("", "s2", "p2")}


def test_folders_say_class_and_slide(folder):
    root = folder("train/a.png", "valid/pos/b.png", "test/s1/neg/c.png", "fold_2/x/y/z/d.png", "raw/e.png")
    assert read(root) == {
        ("train/a.png", "train"): ("", "", ""),
        ("valid/pos/b.png", "valid"): ("pos", "", ""),
        ("test/s1/neg/c.png", "test"): ("neg", "s1", ""),
        ("fold_2/x/y/z/d.png", "fold_2"): ("", "", ""),
    }
    assert notes(root) == ("images in no folder of a part, which are left out: 1, such as 'raw/e.png'",)


def test_tables_count_before_folders(csv, folder):
    root = folder("train/s1/a.png", "test/s2/b.png")
    slides = csv("slides.csv", "id,slide", "train/s1/a.png,s1", "test/s2/b.png,s2")
    labels = csv("labels.csv", "id,label", "a,1", "b,0")
    assert read(root, slides=slides, labels=labels) == {
        ("train/s1/a.png", "train"): ("1", "s1", ""),
        ("test/s2/b.png", "test"): ("0", "s2", ""),
    }


def test_clam_writes_numbers_as_floats_where_a_column_is_shorter(csv, folder):
    split = csv("splits_0.csv", ",train,val,test", "0,12,13.0,14.0", "1,15,,")
    root = folder("12/a.png", "15/b.png", "13/c.png", "14/tumor/d.png", "16/e.png")
    assert {*read(split, root)} == {
        ("12/a.png", "train"),
        ("15/b.png", "train"),
        ("13/c.png", "val"),
        ("14/tumor/d.png", "test"),
    }
    assert notes(split, root) == ("patches of no listed slide, which are left out: 1, such as '16/e.png'",)


@pytest.mark.input("Split of others", "Slides in CLAM's table without patches", "reported")
def test_clam_may_list_slides_of_which_there_are_no_patches(csv, folder):
    split = csv("splits_0.csv", ",train,val,test", "0,s1,s2,s3")
    assert notes(split, folder("s1/a.png", "s2/b.png")) == ("listed slides without a patch: 1, such as 's3'",)


@pytest.mark.input("Split of others", "Rows without a part, or without an image", "left out and reported")
def test_rows_that_cannot_be_compared_are_told(csv, folder):
    split = csv("t.csv", "id,split", "a,train", "b,test", "c,", "d,test")
    assert notes(split, folder("a.png", "b.png", "c.png")) == (
        "rows without a part, which are left out: 1, the first is line 4",
        "rows without an image, whose pixels are not compared: 1 of 3, such as 'd' of line 5",
    )


REFUSED = [
    (["id,fold", "a,0", "b,0"], "t.csv: all patches are of the part 'fold 0'; an audit compares two parts"),
    (["id,fold", "x,0", "y,1"], "t.csv: none of 2 images is there, such as 'x' of line 2; in "),
    (
        ["id,label", "a,0", "b,1"],
        "t.csv: no column says the part of a patch; call it fold or split or part or set",
    ),
    (["id,fold,split", "a,0,train"], "t.csv: the columns 'fold' and 'split' both name parts; keep one"),
    (["patch,fold", "a,0"], "t.csv: there is no column 'path', the first line has 'patch', 'fold'; "),
    (["id,fold", "a,0", ",1"], "t.csv: line 3 names no image"),
    (["id,fold,label", "a,0,1", "b,1,0", "a,1,0"], "t.csv: 'a.png' has the labels '1' and '0'; keep one"),
    (["id,fold,slide", "a,0,s", "a,1,t"], "t.csv: the id 'a.png' appears twice, with the slides 's' and 't'"),
    (
        ["id,fold,slide,patient", "a,0,s,p", "b,1,s,q"],
        "t.csv: the slide 's' is of the patient 'p' and of 'q'",
    ),
    (["train,val,test", "s1,s2,s3"], "t.csv: no patch is of a listed slide, such as 's1'; in "),
    (
        ["id,train,val", "s1,True,False", "s2,False,True"],
        "t.csv: it marks slides by True and False; take the file",
    ),
    ([",train,val", "0,,", "1,,"], "t.csv: no slide is listed below 'train', 'val'; name some there"),
    ([], "t.csv: the file is empty"),
]


@pytest.mark.parametrize(("lines", "line"), REFUSED)
@pytest.mark.input(
    "Split of others",
    "One part only, no column or two for the part, an image with two labels or slides, an empty file",
    "refused",
)
def test_a_table_that_says_nothing_is_refused_in_one_line(csv, folder, lines, line):
    split = csv("t.csv", *lines)
    with pytest.raises(InputError) as caught:
        read(split, folder("a.png", "b.png"))
    assert f"{split.parent}/{line}" in str(caught.value)
    assert str(caught.value).isprintable()


def refusal(split, data=None, **tables) -> str:
    with pytest.raises(InputError) as caught:
        read(split, data, **tables)
    return str(caught.value)


@pytest.mark.input("Split of others", "A file or folder that is not there, or without images", "refused")
def test_paths_that_lead_nowhere_are_named(csv, folder, tmp_path):
    split, data = csv("t.csv", "id,fold", "a,0", "b,1"), folder("a.png", "b.png")
    assert "none.csv: no such file or folder; SPLIT names" in refusal(tmp_path / "none.csv", data)
    assert "none: no such folder; DATA names" in refusal(split, tmp_path / "none")
    assert "t.csv: the table names images, but not where they are; DATA" in refusal(split)
    assert "slides.csv: the table cannot be read: No such file" in refusal(
        split, data, slides=tmp_path / "slides.csv"
    )
    (tmp_path / "empty").mkdir()
    assert "empty: there are no images here" in refusal(split, tmp_path / "empty")


@pytest.mark.input("Split of others", "Folders that are not called like parts", "refused")
def test_folders_that_are_no_parts_are_named(folder, tmp_path):
    assert "images: no folder is called like a part" in refusal(folder("tumor/a.png", "normal/b.png"))
    assert "leave out DATA" in refusal(folder("train/a.png", root="parts"), tmp_path)


@pytest.mark.input(
    "Split of others",
    "A slide map or label table about other images, or without its column",
    "refused",
)
def test_tables_about_other_images_are_named(csv, folder):
    split, data = csv("t.csv", "id,fold", "a,0", "b,1"), folder("a.png", "b.png")
    slides = csv("slides.csv", "id,slide", "x,s1")
    assert f"{slides}: no id is that of an image, such as 'a.png'" in refusal(split, data, slides=slides)
    assert "there is no column 'slide' or 'patient'" in refusal(
        split, data, slides=csv("l.csv", "id,label", "a,1")
    )
    assert "there is no column 'label'" in refusal(split, data, labels=slides)
