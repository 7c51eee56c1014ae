import pytest

from histopatch.data.layout import check_layout, list_images
from histopatch.errors import InputError


@pytest.fixture
def root(tmp_path):
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
    (tmp_path / "train_labels.csv").write_text("id,label\n")
    return tmp_path


def test_kaggles_layout_is_accepted_with_and_without_slides(root):
    check_layout(str(root), None)
    (root / "slides.csv").write_text("id,slide\n")
    check_layout(str(root), str(root / "slides.csv"))


@pytest.mark.parametrize("missing", ["train", "test", "train_labels.csv"])
def test_what_is_missing_is_named_with_how_to_get_it(root, missing):
    path = root / missing
    path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(InputError, match="kaggle competitions download") as caught:
        check_layout(str(root), None)
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
        check_layout(str(root), None)


def test_a_missing_slide_map_is_named(root):
    with pytest.raises(InputError, match=r"slides\.csv: no such file; dataset\.slides"):
        check_layout(str(root), str(root / "slides.csv"))


def test_the_sample_of_real_patches_has_the_layout(sample):
    check_layout(str(sample), None)


def test_images_are_listed_by_name_whatever_the_case_of_the_suffix(tmp_path):
    for name in ("b.tif", "B.TIFF", "a.png", "e.JPEG", "notes.txt", "tif"):
        (tmp_path / name).write_bytes(b"")
    assert list_images(tmp_path) == ["B.TIFF", "a.png", "b.tif", "e.JPEG"]
