"""Data sets of every format that people bring, from their files to a final model."""

import gzip
import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from conftest import PROJECT, ROOT
from edits import append, replace
from PIL import Image
from plan import RUN_COMMAND, plan, snakemake

from histopatch.files import read_table

CONFIG = """\
experiment: hdf5
experiments:
  hdf5:
    dataset: {format: pcam, root: pcam}
    defaults: &defaults
      {backbone: resnet18, weights: none, image_size: 32, batch_size: 8, lr: 1.0e-3, precision: fp32}
    studies: &studies {only: {runs: {one: {}}}}
    final: &final {study: only}
    figures: {dpi: 60}
  listed:
    dataset:
      format: table
      table: patches.csv
      columns: {path: file, label: class, slide: specimen, patient: case, part: set}
      positive: tumor
    defaults: *defaults
    studies: *studies
    final: *final
  sorted:
    dataset: {format: folders, root: folders, positive: tumor}
    splits: {main: {group_by: auto, held_out_fraction: 0.3, validation_fraction: 0.3}}
    defaults: *defaults
    studies: *studies
    final: *final
runtime: {workers: 1}
"""
COUNTS = {"train": 60, "valid": 32, "test": 24}  # patches of each published part
# What is made of each experiment.
TARGETS = {
    "hdf5": ["final/metrics.json", "tables/summary.md"],
    "listed": ["final/metrics.json", "submission.csv"],
    "sorted": ["final/metrics.json"],
}


@pytest.fixture(scope="module")
def brought(tmp_path_factory) -> Path:
    """A project with a data set of each format and their final models. Not to be changed."""
    project = tmp_path_factory.mktemp("brought")
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, project / name)
    (project / "config.yaml").write_text(CONFIG)
    rng = np.random.default_rng(0)
    write_pcam(project / "pcam", rng)
    write_table(project, rng)
    write_folders(project / "folders", rng)
    for name in TARGETS:
        status, output = snakemake(project, *RUN_COMMAND, *call(name))
        assert status == 0, output
    return project


def call(name: str) -> list[str]:
    """The arguments that make what is made of an experiment."""
    return [*(f"results/{name}/{target}" for target in TARGETS[name]), "--config", f"experiment={name}"]


def draw(rng: np.random.Generator, label: int, size: int = 32) -> np.ndarray:
    """A patch whose positives are redder, which a few steps learn."""
    pixels = rng.integers(0, 160, (size, size, 3), dtype=np.uint8)
    pixels[..., 0] += np.uint8(60 * label)
    return pixels


def write_image(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_pcam(root: Path, rng: np.random.Generator) -> None:
    root.mkdir()
    for part, count in COUNTS.items():
        labels = np.arange(count, dtype=np.uint8) % 2
        stem = f"camelyonpatch_level_2_split_{part}"
        with h5py.File(root / f"{stem}_x.h5", "w") as file:
            file["x"] = np.stack([draw(rng, label, 96) for label in labels])
        with h5py.File(root / f"{stem}_y.h5", "w") as file:
            file["y"] = labels.reshape(-1, 1, 1, 1)
        rows = {"coord_y": range(count), "wsi": [f"{part}_{row // 8:03d}" for row in range(count)]}
        pd.DataFrame(rows).to_csv(root / f"{stem}_meta.csv")
    for path in root.glob("*_test_*.h5"):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()


def write_table(project: Path, rng: np.random.Generator) -> None:
    """100 labelled patches of 5 slides to train, of 2 to validate and of 3 to hold out, and 6 to predict."""
    rows = []
    for number in range(100):
        slide = number // 2 % 10
        part = "train" if slide < 5 else "val" if slide < 7 else "held out"
        write_image(project / f"images/{number}.png", draw(rng, number % 2))
        word = ("normal", "tumor")[number % 2]
        rows.append((f"images/{number}.png", word, f"s{slide}", f"p{slide}", part))
    for number in range(6):
        write_image(project / f"images/new{number}.png", draw(rng, number % 2))
        rows.append((f"images/new{number}.png", "", "", "", "test"))
    table = pd.DataFrame(rows, columns=["file", "class", "specimen", "case", "set"])
    table.to_csv(project / "patches.csv", index=False)


def write_folders(root: Path, rng: np.random.Generator) -> None:
    for number in range(96):
        name = f"s{number // 2 % 12}/{('normal', 'tumor')[number % 2]}/{number}.png"
        write_image(root / name, draw(rng, number % 2))


def read(project: Path, file: str) -> pd.DataFrame:
    return read_table(project / "results" / file)


def test_the_published_split_of_pcam_is_trained_on(brought):
    split = read(brought, "hdf5/splits/official.csv").set_index("id")
    folds = {part: split.fold[split.index.str.startswith(part)] for part in COUNTS}
    assert {part: (len(fold), *fold.unique()) for part, fold in folds.items()} == {
        "train": (60, -1),
        "valid": (32, 0),
        "test": (24, -2),
    }
    assert [split.slide[id_] for id_ in ("train-000008", "valid-000031", "test-000000")] == [
        "train_001", "valid_003", "test_000",
    ]  # fmt: skip
    assert [split.label[id_] for id_ in ("train-000001", "valid-000002")] == [1, 0]
    pack = np.load(brought / "results/hdf5/pack/train.npy", mmap_mode="r")
    index = read(brought, "hdf5/pack/train.index.parquet").set_index("id")
    with (
        gzip.open(brought / "pcam/camelyonpatch_level_2_split_test_x.h5.gz") as packed,
        h5py.File(packed) as x,
    ):
        assert np.array_equal(pack[index.row["test-000007"]], x["x"][7])


@pytest.mark.parametrize(
    ("experiment", "held_out"),
    [
        pytest.param("hdf5", 24, id="pcam"),
        pytest.param("listed", 30, id="table"),
        pytest.param("sorted", None, id="folders"),
    ],
)
def test_the_final_model_is_measured_on_what_is_held_out(brought, experiment, held_out):
    metrics = json.loads((brought / f"results/{experiment}/final/metrics.json").read_text())
    assert metrics["measured"]["on"] == "held-out patches"
    split = read(brought, f"{experiment}/splits/{'main' if experiment == 'sorted' else 'official'}.csv")
    predictions = read(brought, f"{experiment}/final/held_out_predictions.csv")
    assert {*predictions.id} == {*split.id[split.fold == -2]}
    assert held_out in (None, len(predictions))
    # The classes differ in colour: whoever reads the labels right learns it.
    assert metrics["measured"]["auc"] > 0.8


def test_a_table_says_slides_patients_parts_and_what_to_predict(brought):
    split = read(brought, "listed/splits/official.csv").set_index("id")
    table = pd.read_csv(brought / "patches.csv").set_index("file").loc[split.index]
    assert [*split.slide] == [*table.specimen]
    assert [*split.patient] == [*table.case]
    assert [*split.label] == [*(table["class"] == "tumor").astype(int)]
    assert [*split.fold] == [*table.set.map({"train": -1, "val": 0, "held out": -2})]
    submission = read(brought, "listed/submission.csv")
    assert [*submission.id] == [f"images/new{number}.png" for number in range(6)]
    assert submission.label.between(0, 1).all()


def test_folders_say_slides_and_classes(brought):
    split = read(brought, "sorted/splits/main.csv")
    folders = split.id.str.split("/", expand=True)
    assert len(split) == 96
    assert [*split.slide] == [*folders[0]]
    assert [*split.label] == [*(folders[1] == "tumor").astype(int)]
    assert (split.groupby("slide").fold.nunique() == 1).all()


def test_what_is_finished_is_up_to_date(brought):
    assert plan(brought, *call("hdf5")).rules == set()


@pytest.mark.parametrize(("name", "predicts"), [("hdf5", False), ("listed", True), ("sorted", False)])
def test_there_is_a_submission_where_there_are_patches_to_predict(brought, name, predicts):
    submission, pack = (f"results/{name}/{file}" for file in ("submission.csv", "pack/test.npy"))
    assert (brought / submission).exists() == (brought / pack).exists() == predicts
    rest = plan(brought, "--config", f"experiment={name}").outputs  # of all that the experiment keeps
    assert not {submission, pack} & rest


@pytest.fixture
def project(brought, tmp_path) -> Path:
    return shutil.copytree(brought, tmp_path / "project")


def test_a_label_that_is_edited_packs_nothing_again(project):
    replace(project / "patches.csv", ("images/7.png,tumor", "images/7.png,normal"))
    jobs = plan(project, *call("listed"))
    assert {"clean", "split", "train"} <= jobs.rules
    assert "pack" not in jobs.rules


def test_a_row_with_a_new_image_packs_its_part_again(project):
    shutil.copy2(project / "images/7.png", project / "images/added.png")
    append(project / "patches.csv", "images/added.png,tumor,s1,p1,train\n")
    packs = [job.wildcards["part"] for job in plan(project, *call("listed")).jobs if job.rule == "pack"]
    assert packs == ["train"]


def test_an_image_that_is_added_to_a_folder_is_packed(project):
    shutil.copy2(project / "folders/s1/tumor/3.png", project / "folders/s1/tumor/added.png")
    jobs = plan(project, *call("sorted"))
    assert {"pack", "clean", "split", "train"} <= jobs.rules
