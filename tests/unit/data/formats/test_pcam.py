import gzip
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from histopatch.data.formats.format import plain, restore
from histopatch.data.formats.pcam import PCam
from histopatch.errors import InputError

COUNTS = {"train": 6, "valid": 4, "test": 2}


def path_of(root: Path, part: str, kind: str) -> Path:
    suffix = "csv" if kind == "meta" else "h5"
    return root / f"camelyonpatch_level_2_split_{part}_{kind}.{suffix}"


def write(path: Path, name: str, values) -> None:
    with h5py.File(path, "w") as file:
        file[name] = values


def compress(path: Path) -> Path:
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    return packed


@pytest.fixture
def root(tmp_path):
    """The published files, with few patches."""
    for part, count in COUNTS.items():
        labels = np.arange(count, dtype=np.uint8) % 2
        write(path_of(tmp_path, part, "x"), "x", np.full((count, 96, 96, 3), labels[:, None, None, None]))
        write(path_of(tmp_path, part, "y"), "y", labels.reshape(-1, 1, 1, 1))
        meta = pd.DataFrame({"coord_x": range(count), "wsi": [f"{part}_{row // 2}" for row in range(count)]})
        meta.to_csv(path_of(tmp_path, part, "meta"))
    return tmp_path


def pcam(root, **keys) -> PCam:
    return PCam.read({"root": str(root), "patch_size": "auto"} | keys, "results/mine")


def refusal(root) -> str:
    """What is said of the files, wherever it is noticed; all of it before any job."""
    with pytest.raises(InputError) as caught:
        dataset = pcam(root)
        dataset.check()
        pd.concat(dataset.slides())
    message = str(caught.value)
    assert message.isprintable() and len(message) < 500
    return message


@pytest.mark.input("HDF5", "the published files, plain or `.gz`", "read; `official` is the published split")
def test_the_published_files_are_read(root):
    for part, kind in (("test", "x"), ("test", "y"), ("valid", "y")):
        compress(path_of(root, part, kind))
    dataset = pcam(root)
    dataset.check()
    images, labels = dataset.images("train"), pd.concat(dataset.labels())
    assert (len(images), dataset.parts, dataset.patch_size) == (12, ("train",), 96)
    assert [images.ids[0], images.ids[6], images.ids[-1]] == ["train-000000", "valid-000000", "test-000001"]
    assert images.files[-1] == "camelyonpatch_level_2_split_test_x.h5.gz"
    assert [*images.rows] == [*range(6), *range(4), *range(2)]
    assert [*labels.id] == images.ids
    assert [*labels.label] == ["0", "1"] * 6
    given = pd.concat(dataset.given_parts()).set_index("id").part
    assert given["train-000005"] == "train"
    assert given["valid-000003"] == "validation"
    assert given["test-000001"] == "held out"


def test_the_pixels_are_those_of_the_ids(root):
    compress(path_of(root, "valid", "x"))
    images = pcam(root).images("train")
    with images.unpacked(root) as unpacked:
        pixels = np.zeros((12, 96, 96, 3), np.uint8)
        unpacked.decode(pixels)
    assert [*pixels[:, 0, 0, 0]] == [0, 1] * 6


@pytest.mark.input("HDF5", "`…_meta.csv`", "its column `wsi` is the slide; each may be missing")
def test_slides_are_read_where_they_are_given(root):
    dataset = pcam(root)
    assert dataset.known_groups == ("slide",)
    slides = pd.concat(restore(plain(dataset, "slides")).slides()).set_index("id").slide
    assert (slides["train-000005"], slides["test-000001"]) == ("train_2", "test_0")
    path_of(root, "test", "meta").unlink()
    assert len(pd.concat(pcam(root).slides())) == 10
    for part in ("train", "valid"):
        path_of(root, part, "meta").unlink()
    assert (pcam(root).slides(), pcam(root).known_groups) == (None, ())


def test_an_edit_of_a_label_is_an_input_of_labels_and_parts_only(root):
    dataset = pcam(root)
    labels = {str(path_of(root, part, "y")) for part in COUNTS}
    assert not labels & {*dataset.files("images")}
    assert labels <= {*dataset.files("labels")} and labels <= {*dataset.files("slides")}


def test_reading_labels_opens_no_patches(root):
    for part in COUNTS:
        path_of(root, part, "x").write_bytes(b"not HDF5")
    assert len(pd.concat(pcam(root).labels())) == len(pcam(root).images("train")) == 12


@pytest.mark.input("HDF5", "a file is missing", "refused with its name")
@pytest.mark.parametrize("part", COUNTS)
@pytest.mark.parametrize("kind", ["x", "y"])
def test_a_missing_file_is_named(root, part, kind):
    path_of(root, part, kind).unlink()
    message = refusal(root)
    assert message == (
        f"{path_of(root, part, kind)}: no such file, nor with .gz; set dataset.root to the folder that has it"
    )


@pytest.mark.input("HDF5", "more or fewer patches than labels", "refused with both numbers")
def test_patches_and_labels_must_be_as_many(root):
    write(path_of(root, "valid", "y"), "y", np.zeros((5, 1, 1, 1), np.uint8))
    path_of(root, "valid", "meta").unlink()
    message = refusal(root)
    assert message.startswith(f"{path_of(root, 'valid', 'x')}: has 4 patches, but ")
    assert "_y.h5 has 5 labels" in message


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        pytest.param(
            "y", np.array([0, 1, 2, 1]), "row 2 of 'y' is 2; labels are 0 or 1",
            marks=pytest.mark.input("HDF5", "labels other than 0 and 1", "refused with the row"),
        ),
        pytest.param("y", np.array([0, np.nan, 1, 1]), "row 1 of 'y' is nan"),
        pytest.param("y", np.zeros((4, 2)), "the array 'y' is float64 of shape (4, 2); one number a patch"),
        pytest.param("y", np.array([b"a"] * 4), "one number a patch"),
        pytest.param(
            "labels", np.zeros(4), "there is no array 'y', but 'labels'",
            marks=pytest.mark.input("HDF5", "no array `y` or `x` in a file", "refused with what there is"),
        ),
        pytest.param("y", 1, "there is no array 'y', but 'y'"),
    ],
)  # fmt: skip
def test_labels_that_are_none_are_refused(root, name, values, said):
    write(path_of(root, "valid", "y"), name, values)
    message = refusal(root)
    assert message.startswith(f"{path_of(root, 'valid', 'y')}: ")
    assert said in message


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(
            lambda content: content[: len(content) // 2],
            marks=pytest.mark.input("HDF5", "labels that are cut off or damaged, plain or `.gz`", "refused"),
        ),
        lambda content: b"",
        lambda content: b"<html>not found</html>",
        lambda content: content[:4] + b"\x00" * 64 + content[68:],
    ],
    ids=["half", "empty", "HTML", "zeros"],
)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_damaged_labels_are_refused(root, damage, packed):
    path = path_of(root, "train", "y")
    if packed:
        path = compress(path)
    path.write_bytes(damage(path.read_bytes()))
    assert refusal(root).startswith(f"{path}: cannot be read as HDF5, it is damaged or incomplete")


def test_damaged_hdf5_in_a_sound_gz_is_refused(root):
    path = path_of(root, "train", "y")
    path.write_bytes(path.read_bytes()[:1000])
    assert "is damaged or incomplete" in refusal(compress(path).parent)


@pytest.mark.input("HDF5", "`…_meta.csv` without the slide of some patches", "they have no slide")
def test_a_patch_may_have_no_slide(root):
    path = path_of(root, "train", "meta")
    lines = path.read_text().splitlines()
    for line in (1, 3, len(lines) - 1):
        lines[line] = lines[line].rpartition(",")[0] + ","
    path.write_text("\n".join(lines) + "\n")
    slides = pd.concat(pcam(root).slides()).set_index("id").slide
    assert slides[["train-000000", "train-000001", "train-000002"]].tolist() == ["", "train_0", ""]
    assert slides[f"train-{COUNTS['train'] - 1:06d}"] == ""


@pytest.mark.input("HDF5", "`…_meta.csv` of other patches", "refused with both numbers")
def test_slides_of_another_number_of_patches_are_refused(root):
    path = path_of(root, "train", "meta")
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    assert refusal(root).startswith(f"{path}: has slides of 5 patches, but ")


@pytest.mark.input("HDF5", "`…_meta.csv` without `wsi`", "refused")
def test_slides_need_their_column(root):
    path = path_of(root, "train", "meta")
    path.write_text(path.read_text().replace("wsi", "whole"))
    assert refusal(root).startswith(f"{path}: there is no column 'wsi'")
