import json
import shutil
from pathlib import PurePath

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from histopatch.errors import InputError
from histopatch.files import read_table
from histopatch.given_splits import audit as module
from histopatch.given_splits.audit import audit_split, draw
from histopatch.given_splits.read import read_split

SAME_PIXELS = {("identical", "p00", "c0"), ("turned", "p01", "c1"), ("near", "p02", "c2")}
TWO_LABELS = ("two_labels", "p00", "c0")


@pytest.fixture
def audit(tmp_path):
    """Audit a split, as on the command line; what was found."""

    def run(split, data=None, **tables):
        given = read_split(str(split), data and str(data), **{key: str(path) for key, path in tables.items()})
        return audit_split(given, tmp_path / "found", workers=1)

    return run


def pairs(audited) -> set[tuple[str, str, str]]:
    """The pairs, by their kind and the bare names of the two images."""
    bare = audited.pairs[["id_a", "id_b"]].map(lambda id_: PurePath(id_).stem)
    names = [sorted(pair, reverse=True) for pair in bare.to_numpy().tolist()]
    assert len(names) == len({(kind, *pair) for kind, pair in zip(audited.pairs.kind, names, strict=True)})
    return {(kind, *pair) for kind, pair in zip(audited.pairs.kind, names, strict=True)}


@pytest.mark.parametrize(
    "header", ["id,fold,label,slide", "path,split,label,slide", "filename,set,label,wsi"]
)
@pytest.mark.input(
    "Split of others",
    "A table `id,fold`, `path,split` or `filename,set` with labels and slides",
    "read",
)
def test_a_table_with_a_row_for_each_patch(audit, leaky, images, written, header):
    theirs = leaky[["name", "side", "label", "slide"]].set_axis(header.split(","), axis=1)
    audited = audit(written(theirs), images(leaky))
    assert pairs(audited) == SAME_PIXELS | {TWO_LABELS}
    assert audited.report["patches"] == {"test": 5, "train": 6, "val": 4}
    assert audited.report["slides"]["known"] == 6


@pytest.mark.input("Split of others", "A split of this project, with folds -1 and -2", "read")
def test_a_split_that_was_made_here(audit, leaky, images, written):
    fold = leaky.side.map({"train": "-1", "val": "0", "test": "-2"})
    theirs = written(
        leaky[["name", "label", "slide"]].set_axis(["id", "label", "slide"], axis=1).assign(fold=fold)
    )
    audited = audit(theirs, images(leaky))
    assert pairs(audited) == SAME_PIXELS | {TWO_LABELS}
    assert audited.report["patches"] == {"training": 6, "fold 0": 4, "held out": 5}


@pytest.mark.parametrize("parts", [["train", "valid", "test"], ["fold0", "fold1", "fold2"]])
@pytest.mark.input("Split of others", "Folders `train`, `valid`, `test`, or numbered ones", "read")
def test_folders_for_the_parts(audit, leaky, images, parts):
    part = leaky.side.map(dict(zip(["train", "val", "test"], parts, strict=True)))
    audited = audit(images(leaky, part + "/" + leaky.name + ".png"))
    assert pairs(audited) == SAME_PIXELS
    assert {*audited.report["patches"]} == {*parts}


def test_folders_for_the_parts_and_the_classes(audit, leaky, images):
    audited = audit(images(leaky, leaky.side + "/" + leaky.label + "/" + leaky.name + ".png"))
    assert pairs(audited) == SAME_PIXELS | {TWO_LABELS}
    assert audited.report["slides"]["known"] == 0


def test_folders_for_the_parts_the_slides_and_the_classes(audit, leaky, images):
    shared = leaky.assign(slide=leaky.slide.replace("val-0", "train-0"))
    paths = shared.side + "/" + shared.slide + "/" + shared.label + "/" + shared.name + ".png"
    audited = audit(images(shared, paths))
    assert pairs(audited) == SAME_PIXELS | {TWO_LABELS, ("slide", "p06", "p00")}
    assert audited.report["slides"]["on_several_sides"] == {"train-0": {"test": 0, "train": 3, "val": 3}}


@pytest.fixture
def clam(written):
    """Write the slides of each side as CLAM does, with a number before each line; `further` ones, too."""

    def write(table: pd.DataFrame, **further: list[str]):
        sides = {side: [*table.slide[table.side == side].unique(), *further.get(side, [])] for side in SIDES}
        return written(pd.DataFrame({side: pd.Series(names) for side, names in sides.items()}), index=True)

    return write


SIDES = ("train", "val", "test")


@pytest.mark.input(
    "Split of others",
    "CLAM's `splits_0.csv` with a slide map",
    "read; a patch follows its slide",
)
def test_the_slides_of_clam_with_a_slide_map(audit, leaky, images, written, clam):
    slides = written(
        leaky[["name", "slide", "patient"]].set_axis(["id", "slide", "patient"], axis=1), "slides.csv"
    )
    audited = audit(clam(leaky), images(leaky), slides=slides)
    assert pairs(audited) == SAME_PIXELS
    assert audited.report["slides"]["known"] == 6
    assert audited.report["patients"]["known"] == 3


def test_the_slides_of_clam_as_folders(audit, leaky, images, clam):
    folder = images(leaky, leaky.slide + "/" + leaky.name + ".png")
    audited = audit(clam(leaky), folder)
    assert pairs(audited) == SAME_PIXELS
    assert audited.report["slides"]["known"] == 6


@pytest.mark.input(
    "Split of others",
    "A slide in two parts of CLAM's table",
    "reported as a leak, with its patches",
)
def test_a_slide_that_clam_lists_twice_leaks_with_all_its_patches(audit, clean, images, clam):
    folder = images(clean, clean.slide + "/" + clean.name + ".png")
    audited = audit(clam(clean, test=["val-0"]), folder)
    patches = {("patch", name, name) for name in clean.name[clean.slide == "val-0"]}
    assert len(patches) == 2
    assert pairs(audited) == {("slide", "p06", "p06")} | patches
    assert audited.report["slides"]["on_several_sides"] == {"val-0": {"test": 2, "train": 0, "val": 2}}


@pytest.mark.input("Split of others", "A patch in two parts", "reported as a leak")
def test_a_patch_that_is_listed_twice(audit, clean, images, written):
    theirs = clean[["name", "side"]].set_axis(["path", "split"], axis=1)
    theirs.loc[len(theirs)] = ["p00.png", "test"]  # p00 is of the part train
    theirs.loc[len(theirs)] = ["p01", "train"]  # twice in one part
    audited = audit(written(theirs), images(clean))
    assert pairs(audited) == {("patch", "p00", "p00")}
    assert audited.report["pairs"]["patch"] == {"found": 1, "crossing": 1, "patches": 1}


def test_patients_and_slides_on_two_sides(audit, clean, images, written):
    theirs = clean[["name", "side", "slide", "patient"]].set_axis(["id", "fold", "slide", "patient"], axis=1)
    theirs = theirs.replace({"patient-test": "patient-train", "val-0": "train-0"}).drop(columns="patient")
    patients = clean.patient.replace("patient-test", "patient-train").where(
        theirs.slide != "train-0", "patient-train"
    )
    audited = audit(written(theirs.assign(patient=patients)), images(clean))
    assert {(kind, a[0]) for kind, a, _ in pairs(audited)} == {("slide", "p"), ("patient", "p")}
    assert audited.report["patients"]["on_several_sides"] == {
        "patient-train": {"test": 3, "train": 6, "val": 2}
    }
    assert audited.report["slides"]["on_several_sides"] == {"train-0": {"test": 0, "train": 3, "val": 2}}


def test_pcam_gives_its_own_parts(audit, leaky, tmp_path):
    h5py = pytest.importorskip("h5py")
    for side, part in zip(SIDES, ("train", "valid", "test"), strict=True):
        of_side = leaky[leaky.side == side]
        for kind, values in (
            ("x", np.stack(of_side.pixels)),
            ("y", of_side.label.astype("uint8").to_numpy()),
        ):
            with h5py.File(tmp_path / f"camelyonpatch_level_2_split_{part}_{kind}.h5", "w") as file:
                file[kind] = values.reshape(-1, 1, 1, 1) if kind == "y" else values
    audited = audit(tmp_path)
    assert pairs(audited) == {
        ("identical", "train-000000", "test-000003"),
        ("turned", "valid-000003", "train-000001"),
        ("near", "train-000002", "test-000004"),
        ("two_labels", "train-000000", "test-000003"),
    }


def test_a_clean_split_has_no_pairs(audit, clean, images, written):
    audited = audit(written(clean[["name", "side"]].set_axis(["id", "split"], axis=1)), images(clean))
    assert audited.pairs.empty


def test_labels_may_be_a_table_of_their_own(audit, leaky, images, written):
    theirs = written(leaky[["name", "side"]].set_axis(["id", "split"], axis=1))
    labels = written(leaky[["name", "label"]].set_axis(["id", "label"], axis=1), "labels.csv")
    assert pairs(audit(theirs, images(leaky), labels=labels)) == SAME_PIXELS | {TWO_LABELS}


@pytest.mark.input("Split of others", "Patches without a label", "read; they contradict no label")
def test_an_unknown_label_contradicts_none(audit, leaky, images, written):
    theirs = leaky[["name", "side", "label"]].set_axis(["id", "split", "label"], axis=1)
    theirs.loc[theirs.id == "c0", "label"] = ""
    assert pairs(audit(written(theirs), images(leaky))) == SAME_PIXELS


def test_everything_is_written(audit, leaky, images, written, tmp_path):
    audited = audit(written(leaky[["name", "side"]].set_axis(["id", "split"], axis=1)), images(leaky))
    found = tmp_path / "found"
    draw(found, "theirs")
    assert len(read_table(found / "audit.csv")) == len(audited.pairs)
    assert json.loads((found / "audit.json").read_text()) == audited.report
    assert read_table(found / "split.csv").fold.tolist() == leaky.side.tolist()
    with Image.open(found / "audit.png") as figure:
        assert figure.height > 300


@pytest.mark.input("Split of others", "An image that cannot be read", "left out and reported")
def test_images_that_cannot_be_used_are_told(audit, clean, images, written):
    folder = images(clean)
    (folder / "p03.png").write_bytes(b"no image")
    audited = audit(written(clean[["name", "side"]].set_axis(["id", "split"], axis=1)), folder)
    (note,) = audited.split.notes
    assert note.startswith("images set aside: 1, such as 'p03.png' (unreadable")


@pytest.mark.input("Split of others", "A part whose images all have another size", "refused")
def test_a_part_without_any_image_to_compare_is_refused(audit, clean, images, written):
    folder = images(clean)
    for name in clean.name[clean.side == "val"]:
        Image.new("RGB", (48, 48)).save(folder / f"{name}.png")
    with pytest.raises(InputError, match=r"theirs.csv: no image of the part 'val' can be compared.*48×48"):
        audit(written(clean[["name", "side"]].set_axis(["id", "split"], axis=1)), folder)


@pytest.mark.input("Split of others", "Patches that are not square", "refused")
def test_patches_that_are_no_squares_are_refused_without_a_word_of_configuration(
    audit, written, images, clean
):
    folder = images(clean.assign(pixels=[pixels[:60] for pixels in clean.pixels]))
    with pytest.raises(InputError, match=r"cut them into squares of 16 to 1024 px$"):
        audit(written(clean[["name", "side"]].set_axis(["id", "split"], axis=1)), folder)


def test_what_was_done_is_not_done_again(audit, leaky, images, written, monkeypatch):
    """An audit goes on where it was interrupted, and one with other sides searches no more."""
    theirs, folder = leaky[["name", "side"]].set_axis(["id", "split"], axis=1), images(leaky)
    search = module.duplicate_files

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "duplicate_files", stop)
    with pytest.raises(KeyboardInterrupt):
        audit(written(theirs), folder)
    monkeypatch.setattr(module, "duplicate_files", search)
    monkeypatch.setattr(module, "pack_images", stop)
    assert pairs(audit(written(theirs), folder)) == SAME_PIXELS
    monkeypatch.setattr(module, "duplicate_files", stop)
    theirs.loc[theirs.id == "c0", "split"] = "train"
    audited = audit(written(theirs), folder)
    assert audited.report["pairs"]["identical"] == {"found": 1, "crossing": 0, "patches": 0}


def test_an_image_that_was_replaced_is_read_again(audit, leaky, images, written):
    theirs, folder = written(leaky[["name", "side"]].set_axis(["id", "split"], axis=1)), images(leaky)
    audit(theirs, folder)
    shutil.copyfile(folder / "p11.png", folder / "c0.png")
    assert pairs(audit(theirs, folder)) == SAME_PIXELS - {("identical", "p00", "c0")} | {
        ("identical", "p11", "c0")
    }
