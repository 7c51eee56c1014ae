import pytest

from histopatch.data.formats.kaggle import Kaggle
from histopatch.errors import InputError


@pytest.fixture
def root(tmp_path):
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
    (tmp_path / "train_labels.csv").write_text("id,label\n")
    return tmp_path


def kaggle(root, slides: str | None = None) -> Kaggle:
    dataset = {"root": str(root), "patch_size": 96} | ({"slides": slides} if slides else {})
    return Kaggle.read(dataset, "results/mine")


def test_kaggles_layout_is_accepted_with_and_without_slides(root):
    kaggle(root).check()
    (root / "slides.csv").write_text("id,slide\n")
    kaggle(root, str(root / "slides.csv")).check()


@pytest.mark.parametrize("missing", ["train", "test", "train_labels.csv"])
def test_what_is_missing_is_named_with_how_to_get_it(root, missing):
    path = root / missing
    path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(InputError, match="kaggle competitions download") as caught:
        kaggle(root).check()
    assert str(caught.value).startswith(f"{path}: no such")


@pytest.mark.parametrize("name", ["train", "train_labels.csv"])
def test_a_folder_is_no_file_and_a_file_no_folder(root, name):
    path = root / name
    if path.is_dir():
        path.rmdir()
        path.write_text("")
    else:
        path.unlink()
        path.mkdir()
    with pytest.raises(InputError, match="no such"):
        kaggle(root).check()


def test_a_missing_slide_map_is_named(root):
    with pytest.raises(InputError, match=r"slides\.csv: no such file; dataset\.slides"):
        kaggle(root, str(root / "slides.csv")).check()


def test_a_sample_submission_is_handed_over_where_there_is_one(root):
    assert kaggle(root).sample_submission is None
    (root / "sample_submission.csv").write_text("id,label\n")
    assert kaggle(root).sample_submission == f"{root}/sample_submission.csv"


def test_images_and_labels_are_where_kaggle_has_them(root):
    dataset = kaggle(root)
    assert [dataset.images(part) for part in ("train", "test")] == [f"{root}/train", f"{root}/test"]
    assert dataset.labels == f"{root}/train_labels.csv"
    assert dataset.recipe is None


def test_the_sample_of_real_patches_has_the_layout(sample):
    kaggle(sample).check()
