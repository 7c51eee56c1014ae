import pytest

from histopatch.data.listing import describe_others, find_images, list_files, list_images
from histopatch.errors import InputError


@pytest.mark.input("Images", "hidden files, such as `._a.tif` from macOS", "left out")
def test_images_are_listed_by_name_whatever_the_case_of_the_suffix(tmp_path):
    for name in ("b.tif", "B.TIFF", "a.png", "e.JPEG", "notes.txt", "tif", "._b.tif", ".c.png"):
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


def test_images_below_a_folder_are_found_by_their_paths(tmp_path):
    for path in ("b/a.png", "b/._a.png", ".cache/x.png", "a.tif", "c/d/e.jpg", "notes.txt"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert find_images(tmp_path) == ["a.tif", "b/a.png", "c/d/e.jpg"]


def test_other_files_are_counted_by_kind_with_an_example_each(tmp_path):
    names = ["b.webp", "a.webp", "1.npy", "x", *(f"{n}.k{n}" for n in range(5))]
    for path in (*names, "train/a.png", "good.png", ".hidden.bmp"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    others = describe_others(tmp_path, list_images(tmp_path))
    assert others.startswith("2 .webp (such as 'a.webp'), 1 .k0 (such as '0.k0'), 1 .k1")
    assert others.endswith(", 4 others")
    (tmp_path / "all").mkdir()
    assert describe_others(tmp_path / "all", []) == ""
