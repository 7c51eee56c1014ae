import numpy as np
import pandas as pd
import pytest
from PIL import Image

from histopatch.data.formats.folders import Folders
from histopatch.data.formats.format import plain, restore
from histopatch.errors import InputError

CLASSES = ("tumor/a.png", "tumor/b.png", "normal/c.png")
SLIDES = ("s1/tumor/a.png", "s1/normal/b.png", "s2/normal/c.png")


@pytest.fixture
def folders(tmp_path):
    """Write images below a root and read them as a data set."""

    def make(*files: str, **keys) -> Folders:
        for file in files:
            path = tmp_path / "mine" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(path)
        dataset = {"root": str(tmp_path / "mine"), "positive": "tumor", "slide_columns": {}}
        return Folders.read(dataset | {"patch_size": "auto"} | keys, "results/mine")

    return make


def refusal(dataset: Folders) -> str:
    with pytest.raises(InputError) as caught:
        dataset.check()
    message = str(caught.value)
    assert message.startswith(f"{dataset.root}: ") and message.isprintable()
    return message


@pytest.mark.input("Folders", "`class/image`", "read; slides are not known without a slide map")
def test_class_folders_are_read(folders):
    dataset = folders(*CLASSES)
    dataset.check()
    assert pd.concat(dataset.labels()).to_dict("list") == {
        "row": [1, 2, 3],
        "id": ["normal/c.png", "tumor/a.png", "tumor/b.png"],
        "label": ["0", "1", "1"],
    }
    assert (dataset.slides(), dataset.known_groups, dataset.given_parts()) == (None, (), None)
    images = dataset.images("train")
    assert images.ids == images.files == [*pd.concat(dataset.labels()).id]
    assert images.size(0) == (32, 32)


@pytest.mark.input("Folders", "`slide/class/image`", "read, with the slide of each patch")
def test_slide_folders_are_read(folders):
    dataset = folders(*SLIDES)
    dataset.check()
    assert [*pd.concat(dataset.labels()).label] == ["0", "1", "0"]
    assert [*pd.concat(restore(plain(dataset, "slides")).slides()).slide] == ["s1", "s1", "s2"]
    assert dataset.known_groups == ("slide",)


def test_a_slide_map_goes_before_the_folders(folders, tmp_path):
    (tmp_path / "map.csv").write_text("id,slide\ntumor/a.png,s1\ntumor/b.png,s2\n")
    dataset = folders(*CLASSES, slides=str(tmp_path / "map.csv"))
    dataset.check()
    assert [*pd.concat(dataset.slides()).slide] == ["s1", "s2"]
    assert dataset.files("slides") == [str(tmp_path / "map.csv")]


def test_a_missing_slide_map_is_named(folders):
    dataset = folders(*CLASSES, slides="none.csv")
    assert dataset.known_groups == ()
    with pytest.raises(InputError, match=r"none\.csv: no such file; dataset\.slides"):
        dataset.check()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param(
            [*CLASSES, "x.png"],
            "(1 like 'x.png', 3 like 'normal/c.png'); put all images into class/image",
            marks=pytest.mark.input("Folders", "images at several depths", "refused with one of each depth"),
        ),
        pytest.param(
            ["a/b/tumor/x.png", "a/b/normal/y.png"],
            "(2 like 'a/b/normal/y.png'); put all images",
            marks=pytest.mark.input("Folders", "images deeper than `slide/class/image`", "refused with one"),
        ),
        pytest.param(
            ["train/tumor/a.png", "Val/normal/b.png"],
            "the folders ['Val', 'train'] are called like parts of a data set",
            marks=pytest.mark.input("Folders", "`train/class/image`", "refused: folders do not give parts"),
        ),
        pytest.param(
            ["train/a.png", "test/b.png"],
            "the folders ['test', 'train'] are called like parts of a data set",
            marks=pytest.mark.input("Folders", "`train/image`, without classes", "refused, likewise"),
        ),
        pytest.param(
            ["Tumor/a.png", "normal/b.png"],
            "folder 'tumor', which is dataset.positive; the folders with images are 'Tumor', 'normal'",
            marks=pytest.mark.input(
                "Folders",
                "`dataset.positive` in another case than its folder",
                "refused with the names there are",
            ),
        ),
        pytest.param(
            ["tumors/a.png", "normal/b.png"],
            "the folders with images are 'normal', 'tumors'",
            marks=pytest.mark.input(
                "Folders", "no folder of the positive class", "refused with the names there are"
            ),
        ),
        pytest.param(["x/a.png", "y/b.png"], "the folders with images are 'x', 'y'"),
        pytest.param(
            [*CLASSES, "stroma/d.png"],
            "two classes are needed, but the folders with images are 'normal', 'stroma', 'tumor'",
            marks=pytest.mark.input("Folders", "three classes", "refused with their names"),
        ),
        pytest.param(
            ["s1/tumor/a.png", "s2/Tumor/b.png", "s2/normal/c.png"],
            "the folders with images are 'Tumor', 'normal', 'tumor'",
            marks=pytest.mark.input("Folders", "a class in two cases", "refused, as three classes"),
        ),
        pytest.param(
            ["tumor/a.png", "tumor/b.png"],
            "two classes are needed, but the folders with images are 'tumor'; have two",
            marks=pytest.mark.input("Folders", "one class, or an empty class folder", "refused"),
        ),
        pytest.param(
            ["tumor/s1/a.png", "normal/s2/b.png"],
            "the folder 'tumor' has folders in it; put the slides above the classes, slide/class/image",
            marks=pytest.mark.input("Folders", "`class/slide/image`", "refused with the order that is read"),
        ),
        pytest.param(
            ["tumor/a.png", "nor\nmal/b.png", "x/c.png"],
            "'nor\\nmal'",
            marks=pytest.mark.input(
                "Folders", "a line break in the name of a folder", "shown as `\\n` in messages"
            ),
        ),
    ],
)
def test_what_is_no_class_folder_is_refused(folders, files, message):
    assert message in refusal(folders(*files))


def test_an_empty_class_folder_is_one_class(folders, tmp_path):
    dataset = folders("tumor/a.png")
    (tmp_path / "mine/normal").mkdir()
    assert "the folders with images are 'tumor'; have two" in refusal(dataset)


def test_a_missing_root_is_named(folders):
    dataset = folders()
    assert dataset.known_groups == ()
    assert "no such folder; set dataset.root" in refusal(dataset)


@pytest.mark.input("Folders", "hidden folders and files", "left out")
def test_hidden_folders_are_left_out(folders):
    dataset = folders(*CLASSES, ".cache/tumor/x.png", "tumor/._a.png")
    dataset.check()
    assert len(dataset.images("train")) == 3


@pytest.mark.input("Folders", "links to folders", "followed, but not in circles")
def test_links_are_followed_but_not_in_circles(folders, tmp_path):
    dataset = folders("tumor/a.png")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "mine/tumor/a.png").rename(elsewhere / "b.png")
    (tmp_path / "mine/tumor").rmdir()
    for name in ("tumor", "normal"):
        (tmp_path / "mine" / name).symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(tmp_path / "mine")
    (elsewhere / "itself").symlink_to(elsewhere)
    dataset.check()
    assert dataset.images("train").files == ["normal/b.png", "tumor/b.png"]


def test_names_are_made_plain_in_ids_and_kept_for_reading(folders):
    dataset = folders("tumor/cafe\u0301.png", "normal/b.png")
    images = dataset.images("train")
    assert images.ids == ["normal/b.png", "tumor/caf\u00e9.png"]
    assert images.size(1) == (32, 32)


def test_names_that_are_not_utf_8_are_shown(folders):
    dataset = folders("s\udcff/tumor/a.png", "s2/normal/b.png")
    dataset.check()
    assert {*pd.concat(dataset.slides()).slide} == {"s\\xff", "s2"}
    assert {*pd.concat(dataset.labels()).id} == {"s\\xff/tumor/a.png", "s2/normal/b.png"}
