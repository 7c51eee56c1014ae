import pytest

from histopatch.data.listing import list_files, list_images
from histopatch.errors import InputError


def test_images_are_listed_by_name_whatever_the_case_of_the_suffix(tmp_path):
    for name in ("b.tif", "B.TIFF", "a.png", "e.JPEG", "notes.txt", "tif"):
        (tmp_path / name).write_bytes(b"")
    assert list_images(tmp_path) == ["B.TIFF", "a.png", "b.tif", "e.JPEG"]


def test_files_of_a_folder_are_listed_without_folders(tmp_path):
    (tmp_path / "b.png").write_text("")
    (tmp_path / "a.png").symlink_to("b.png")
    (tmp_path / "folder.png").mkdir()
    assert list_files(tmp_path) == {"a.png", "b.png"}
    assert list_files(tmp_path / "none") == list_files(tmp_path / "b.png") == set()


def test_a_folder_that_cannot_be_listed_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none: cannot be listed: No such file"):
        list_images(tmp_path / "none")
