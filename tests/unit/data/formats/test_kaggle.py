from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from histopatch.data.formats.format import plain, restore
from histopatch.data.formats.kaggle import KAGGLES, SLIDE_MAP, Kaggle
from histopatch.errors import InputError


def write_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(path)


@pytest.fixture
def root(tmp_path):
    """Two labelled patches and one without a label."""
    for name in ("train/a.tif", "train/b.tif", "test/c.tif"):
        write_image(tmp_path / "mine" / name)
    (tmp_path / "mine/train_labels.csv").write_text("id,label\na,1\nb,0\n")
    return tmp_path / "mine"


def kaggle(root, **keys) -> Kaggle:
    dataset = {"root": str(root), "patch_size": "auto", "columns": {}, "slide_columns": {}} | keys
    return Kaggle.read(dataset, "results/mine")


def refusal(dataset: Kaggle) -> str:
    with pytest.raises(InputError) as caught:
        dataset.check()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def remove(path: Path) -> None:
    if path.is_dir():
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    else:
        path.unlink()


def test_images_and_labels_are_handed_over(root):
    dataset = kaggle(root)
    dataset.check()
    assert dataset.parts == ("train", "test")
    images = dataset.images("train")
    assert (images.where, [*images.ids], images.files) == (f"{root}/train", ["a", "b"], ["a.tif", "b.tif"])
    assert [*dataset.images("test").ids] == ["c"]
    assert pd.concat(dataset.labels()).to_dict("list") == {
        "row": [2, 3],
        "id": ["a", "b"],
        "label": ["1", "0"],
    }
    assert (dataset.slides(), dataset.given_parts(), dataset.recipe) == (None, None, None)
    assert dataset.known_groups == ()


def test_columns_of_other_names_and_words_are_read(root):
    (root / "train_labels.csv").write_text("image,class\na,tumor\nb,normal\n")
    dataset = kaggle(root, columns={"id": "image", "label": "class"}, positive="tumor")
    again = restore(plain(dataset, "labels"))
    assert pd.concat(again.labels()).to_dict("list") == {"row": [2, 3], "id": ["a", "b"], "label": ["1", "0"]}


@pytest.mark.input("Folders", "no `test/` and no sample submission", "read; there is no submission then")
def test_there_may_be_nothing_to_predict(root):
    remove(root / "test")
    kaggle(root).check()
    assert kaggle(root).parts == ("train",)


@pytest.mark.input("Folders", "no `test/` beside a sample submission", "refused")
def test_a_sample_submission_needs_test_images(root):
    remove(root / "test")
    (root / "sample_submission.csv").write_text("id,label\nc,0\n")
    assert refusal(kaggle(root)).startswith(f"{root}/test: no such folder of images; set dataset.root")


@pytest.mark.input(
    "Folders", "Kaggle's own folder without one of its parts", "refused with how to download it"
)
@pytest.mark.parametrize("missing", ["train", "test", "train_labels.csv"])
def test_what_is_missing_of_kaggles_set_is_named_with_how_to_get_it(root, missing):
    remove(root / missing)
    root = root.rename(root.parent / KAGGLES)
    message = refusal(kaggle(root))
    assert message.startswith(f"{root / missing}: no such")
    assert "kaggle competitions download" in message


@pytest.mark.input("Folders", "no `train/` or no `train_labels.csv`", "refused with the path")
@pytest.mark.parametrize("missing", ["train", "train_labels.csv"])
def test_what_is_missing_of_other_data_is_named(root, missing):
    remove(root / missing)
    message = refusal(kaggle(root))
    assert message.startswith(f"{root / missing}: no such")
    assert "kaggle" not in message


@pytest.mark.input(
    "Folders", "the data set one folder deeper than `dataset.root`", "refused with where it is"
)
def test_a_nested_root_is_found(root):
    assert refusal(kaggle(root.parent)).endswith(f"set dataset.root to {str(root)!r}, which has it")


@pytest.mark.input("Folders", "`dataset.root` is `train/` itself", "refused with the folder to name")
def test_a_root_that_is_too_deep_is_found(root):
    assert refusal(kaggle(root / "train")).endswith(f"set dataset.root to {str(root)!r}, which has it")


@pytest.mark.input("Folders", "`Train/` instead of `train/`", "refused with the name to change")
def test_another_case_is_found(root):
    (root / "train").rename(root / "Train")
    assert refusal(kaggle(root)).endswith("rename 'Train' there")


@pytest.mark.parametrize("name", ["train", "train_labels.csv"])
def test_a_folder_is_no_file_and_a_file_no_folder(root, name):
    folder = (root / name).is_dir()
    remove(root / name)
    (root / name).write_text("") if folder else (root / name).mkdir()
    assert "no such" in refusal(kaggle(root))


@pytest.mark.input("Label file", "no id is that of an image", "refused with the first id and the first image")
@pytest.mark.parametrize("ids", [["x", "y"], ["train/a", "train/b"]])
def test_labels_of_other_images_are_refused(root, ids):
    (root / "train_labels.csv").write_text("id,label\n" + "".join(f"{id_},1\n" for id_ in ids))
    message = refusal(kaggle(root))
    assert message.startswith(f"{root}/train_labels.csv: no id is the name of an image in {root}/train")
    assert repr(ids[0]) in message and "'a.tif'" in message


def test_ids_that_a_spreadsheet_changed_are_refused_with_how_to_import_them(root):
    write_image(root / "train/007.tif")
    (root / "train_labels.csv").write_text("id,label\n7,1\n")
    assert "lost their leading zeros" in refusal(kaggle(root))


def test_ids_with_the_suffix_of_the_image_are_no_error(root):
    (root / "train_labels.csv").write_text("id,label\na.tif,1\nb.tif,0\n")
    kaggle(root).check()


def test_a_label_file_without_rows_is_left_to_cleaning(root):
    (root / "train_labels.csv").write_text("id,label\n")
    kaggle(root).check()


@pytest.mark.parametrize("name", ["caf\u00e9", "cafe\u0301"], ids=["composed", "decomposed"])
def test_a_file_name_fits_its_id_however_it_is_composed(root, name):
    write_image(root / f"train/{name}.tif")
    assert "caf\u00e9" in kaggle(root).images("train").ids


def test_a_file_name_that_is_not_utf_8_is_shown(root):
    (root / "train/b.tif").rename(root / "train/b\udcff.tif")
    images = kaggle(root).images("train")
    assert [*images.ids] == ["a", "b\\xff"]
    assert images.size(1) == (32, 32)


@pytest.mark.input(
    "Slide map", "`patch_id_wsi_full.csv` beside Kaggle's labels", "used, unless dataset.slides names another"
)
def test_the_slide_map_beside_the_labels_is_used(root):
    (root / SLIDE_MAP).write_text("id,wsi\na,s1\nb,s2\n")
    dataset = kaggle(root)
    assert dataset.known_groups == ("slide",)
    assert pd.concat(dataset.slides())[["id", "slide"]].values.tolist() == [["a", "s1"], ["b", "s2"]]
    (root / "other.csv").write_text("id,slide,patient\na,s3,p\nb,s4,p\n")
    other = kaggle(root, slides=str(root / "other.csv"))
    assert [*pd.concat(other.slides()).slide] == ["s3", "s4"]
    assert other.known_groups == ("patient", "slide")
    assert other.files("slides") == [str(root / "other.csv")]


@pytest.mark.input("Slide map", "the file of `dataset.slides` is not there", "refused with the path")
def test_a_missing_slide_map_is_named(root):
    dataset = kaggle(root, slides=str(root / "slides.csv"))
    assert dataset.known_groups == ()
    assert "slides.csv: no such file; dataset.slides" in refusal(dataset)


def test_a_sample_submission_is_handed_over_where_there_is_one(root):
    assert kaggle(root).sample_submission is None
    (root / "sample_submission.csv").write_text("id,label\n")
    assert kaggle(root).sample_submission == f"{root}/sample_submission.csv"


def test_the_sample_of_real_patches_has_the_layout(sample):
    kaggle(sample).check()
