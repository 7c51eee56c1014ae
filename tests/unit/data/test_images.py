import os

import numpy as np
import pytest
from PIL import Image

from histopatch.data import images
from histopatch.data.images import (
    ImageFiles,
    Stems,
    check_there_are_some,
    check_unchanged,
    commonest_size,
    names_digest,
)
from histopatch.data.listing import list_images
from histopatch.errors import InputError


def save(path, width: int, height: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height)).save(path)


def files_in(folder, **keys) -> ImageFiles:
    names = list_images(folder)
    return ImageFiles(str(folder), [name.removesuffix(".png") for name in names], names, **keys)


@pytest.mark.input(
    "Images", "several sizes, with `patch_size: auto`", "the commonest is taken, the others are set aside"
)
def test_the_commonest_size_is_found(tmp_path):
    for number, size in enumerate([32, 64, 64, 48]):
        save(tmp_path / f"{number}.png", size, size)
    (tmp_path / "broken.png").write_bytes(b"x")
    assert commonest_size(files_in(tmp_path)) == 64


@pytest.mark.input(
    "Images",
    "images that are not squares of 16 to 1,024 px, with `patch_size: auto`",
    "refused with an example",
)
@pytest.mark.parametrize(("width", "height"), [(96, 64), (8, 8), (2000, 2000)])
def test_a_size_that_cannot_be_packed_is_refused(tmp_path, width, height):
    for number in range(3):
        save(tmp_path / f"{number}.png", width, height)
    save(tmp_path / "square.png", 96, 96)
    with pytest.raises(InputError) as caught:
        commonest_size(files_in(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path}: 3 of 4 images have {width}×{height} px, such as '0.png'; "
        "cut them into squares of 16 to 1024 px, or set dataset.patch_size"
    )


def test_images_that_cannot_be_read_are_refused_with_the_reason_of_the_first(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.png").write_bytes(b"PK\x03\x04")
    with pytest.raises(InputError) as caught:
        commonest_size(files_in(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path}: none of 2 images can be read; 'a.png' is set aside: unreadable: a ZIP archive"
    )


@pytest.mark.input(
    "Images",
    "no images in a folder, or images of other kinds only",
    "refused with what there is, and examples",
)
@pytest.mark.parametrize(
    ("files", "found"),
    [
        ([], "the folder is empty"),
        ([".hidden.png", "._a.tif"], "the folder is empty"),
        (["a.svs", "b.SVS", "c.bmp"], "it has 2 .svs (such as 'a.svs'), 1 .bmp (such as 'c.bmp')"),
        (["deeper/a.png"], "it has 1 .png in deeper folders (such as 'deeper/a.png')"),
        (["notes"], "it has 1 no suffix (such as 'notes')"),
    ],
    ids=["empty", "hidden", "other kinds", "deeper", "no suffix"],
)  # fmt: skip
def test_a_folder_without_images_says_what_it_has(tmp_path, files, found):
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    with pytest.raises(InputError) as caught:
        check_there_are_some(files_in(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path}: there are no images here (.tif, .tiff, .png, .jpg, .jpeg); {found}"
    )


def test_a_slice_decodes_its_own_images(tmp_path):
    for number in range(4):
        Image.new("RGB", (16, 16), (number, 0, 0)).save(tmp_path / f"{number}.png")
    part = files_in(tmp_path, named=True)[1:3]
    target = np.zeros((2, 16, 16, 3), np.uint8)
    assert [record["mode"] for record in part.decode(target)] == ["RGB", "RGB"]
    assert target[:, 0, 0, 0].tolist() == [1, 2]
    assert part.named


@pytest.fixture
def folder(tmp_path):
    for name in ("b.tif", "a.tif", "c.png"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def digest(folder) -> str:
    return names_digest(files_in(folder))


def test_additions_and_removals_of_images_are_seen(folder):
    before = digest(folder)
    (folder / "d.tif").write_bytes(b"")
    added = digest(folder)
    (folder / "a.tif").unlink()
    removed = digest(folder)
    assert len({before, added, removed}) == 3
    (folder / "d.tif").unlink()
    (folder / "a.tif").write_bytes(b"")
    assert digest(folder) == before


def test_a_renamed_image_is_seen(folder):
    before = digest(folder)
    (folder / "a.tif").rename(folder / "z.tif")
    assert digest(folder) != before


def test_stray_files_and_touches_are_not_seen(folder):
    before = digest(folder)
    (folder / "Thumbs.db").write_bytes(b"x")
    (folder / "notes.txt").write_text("x")
    os.utime(folder / "a.tif", (1, 1))
    os.utime(folder, (1, 1))
    assert digest(folder) == before


def test_other_ids_of_the_same_files_are_seen():
    assert names_digest(ImageFiles("", ["a"], ["a.tif"])) != names_digest(
        ImageFiles("", ["a.tif"], ["a.tif"])
    )


def test_images_that_came_or_went_since_they_were_listed_stop_the_work(folder):
    known = files_in(folder)
    check_unchanged(known, names_digest(known))
    check_unchanged(known, None)
    (folder / "a.tif").unlink()
    with pytest.raises(InputError, match="images were added or removed since the work was planned; run"):
        check_unchanged(files_in(folder), names_digest(known))


def test_ids_are_file_names_without_their_suffix(monkeypatch):
    monkeypatch.setattr(images, "AT_A_TIME", 2)
    ids = Stems(["a.tif", "b.c.png", " d .TIF", "cafe\u0301.tif", "\udcff.tif"])
    assert [*ids] == ["a", "b.c", "d", "caf\u00e9", "\\xff"]
    assert (len(ids), ids[1], ids[-1], [*ids[1:3]]) == (5, "b.c", "\\xff", ["b.c", "d"])


def test_the_digest_of_names_does_not_depend_on_how_many_are_put_together(monkeypatch):
    files = [f"{number}.tif" for number in range(7)]
    listed = ImageFiles("folder", Stems(files), files)
    whole = names_digest(listed)
    monkeypatch.setattr(images, "AT_A_TIME", 2)
    assert names_digest(listed) == whole == names_digest(ImageFiles("folder", [*Stems(files)], files))
    assert names_digest(ImageFiles("folder", files, [*Stems(files)])) != whole
