"""Time and memory of what reads tables, for ever more patches: from the first check to the statistics.

    python benchmarks/table_scale.py [--most 10000000]

No image is read: the tables are what packing would have written, of slides of 250 patches. Each step runs
in a process of its own. `table_scale.png` in the working directory shows both against the number of rows.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow.parquet import ParquetWriter

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from machine import describe_machine, peak_bytes, table

from histopatch.data.pack import INDEX
from histopatch.files import read_blocks

COUNTS = (2_500, 25_000, 250_000, 2_500_000, 10_000_000)
OF_SLIDE = 250  # patches
CLUSTERS = 10  # of appearance, each of whole slides
WRITTEN = 250_000  # rows at a time
DUPLICATES = 100  # patches for each pair of identical ones
PEAK = "peak memory, MB"
IMAGE = {
    "mode": "RGB", "width": 96, "height": 96, "min": 12, "max": 250, "mean": 171.25, "std": 41.5,
    "format": "TIFF", "bytes": 27788, "quality": None, "software": None, "red": 180.5, "green": 140.25,
    "blue": 190.75,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=COUNTS[-1], help="rows of the largest tables")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        print(json.dumps(measure(STEPS[arguments.step](arguments.folder))))
        return
    rows = []
    for count in (count for count in COUNTS if count <= arguments.most):
        with tempfile.TemporaryDirectory() as folder:
            write_tables(Path(folder), count)
            rows += [measured(step, count, folder) for step in STEPS]
    print(describe_machine(), table(rows), sep="\n\n")
    draw(pd.DataFrame(rows))


def write_tables(folder: Path, count: int) -> None:
    """The tables of `count` patches, a part of them at a time."""
    rng = np.random.default_rng(0)
    (folder / "rejected.csv").write_text("id,file,reason\n")
    with ExitStack() as stack:
        index = None
        for start in range(0, count, WRITTEN):
            rows = np.arange(start, min(start + WRITTEN, count))
            ids = pd.Series(rows).map("{:040x}".format)
            part = pd.DataFrame({"id": ids, "row": rows, "file": ids + ".tif", **IMAGE})
            part = pa.Table.from_pandas(part.astype(INDEX), preserve_index=False)
            if index is None:
                writer = ParquetWriter(folder / "index.parquet", part.schema, compression="zstd")
                index = stack.enter_context(writer)
            index.write_table(part)
            labels = rng.integers(0, 2, len(rows))
            probabilities = (1 / (1 + np.exp(-rng.normal(3 * labels - 1.5, 1)))).round(6)
            tables = {
                "train_labels": {"id": ids, "label": labels},
                "slides": {"id": ids, "slide": (rows // OF_SLIDE).astype(str)},
                "predictions": {"id": ids, "label": labels, "probability": probabilities},
                "clusters": {"id": ids, "value": rows // OF_SLIDE % CLUSTERS + 1},
            }
            for name, columns in tables.items():
                file = folder / f"{name}.csv"
                pd.DataFrame(columns).to_csv(file, mode="a", header=not start, index=False)
            pairs = {"kind": "identical", "id_a": ids[::DUPLICATES].array, "id_b": ids[1::DUPLICATES].array}
            file = folder / "duplicates.csv"
            pd.DataFrame(pairs).to_csv(file, mode="a", header=not start, index=False)


# --- the steps: what prepares each imports what it needs and returns the work ------------------------


def check_before_any_job(folder: Path) -> Callable:
    from histopatch.config import load
    from histopatch.data.formats.kaggle import Kaggle
    from histopatch.data.images import ImageFiles, Stems
    from histopatch.experiment import read_experiment
    from histopatch.preflight import check_inputs

    class Listed(Kaggle):
        """Whose images are listed in the index rather than in a folder."""

        @cached_property
        def _images(self) -> dict[str, ImageFiles]:
            files = [file for rows in read_blocks(folder / "index.parquet", ["file"]) for file in rows.file]
            return {"train": ImageFiles(str(folder), Stems(files), files)}

    section = {
        "dataset": {"format": "kaggle", "root": str(folder)},
        "splits": {"main": {"group_by": "slide", "folds": 5}},
        "studies": {"only": {"runs": {"plain": {}}}},
        "final": {"study": "only"},
    }
    config = load({"experiment": "large", "experiments": {"large": section}})
    experiment = read_experiment("large", config["experiments"]["large"])
    dataset = Listed(str(folder), patch_size=96, slide_map=str(folder / "slides.csv"))
    (folder / "train").mkdir(exist_ok=True)
    return lambda: check_inputs(replace(experiment, dataset=dataset))


def index_of_a_pack(folder: Path) -> Callable:
    from histopatch.data.pack import write_index

    # What packing knows of each image is what the index has, and why an image is not usable.
    def records() -> Iterator[pd.DataFrame]:
        return (rows.assign(reason=None) for rows in read_blocks(folder / "index.parquet"))

    files = str(folder / "made.index.parquet"), str(folder / "made.rejected.csv")
    return lambda: write_index(records(), str(folder), *files)


def cleaning(folder: Path) -> Callable:
    from histopatch.data.clean import clean_files
    from histopatch.data.formats.kaggle import Kaggle
    from histopatch.settings import Cleaning

    made = [str(folder / name) for name in ("clean.csv", "rejected_labels.csv", "summary.json")]
    rules = Cleaning(bad_rows="reject", bad_images="reject", near_blank="keep", near_blank_std=6.0)
    given = [str(folder / name) for name in ("index.parquet", "rejected.csv")]
    return lambda: clean_files(Kaggle(str(folder)), *given, rules, *made)


def giveaways(folder: Path) -> Callable:
    from histopatch.data import giveaways

    names = ("index.parquet", "clean.csv", "rejected_labels.csv", "giveaways.csv")
    return lambda: giveaways.giveaways(*(str(folder / name) for name in names))


def splitting(folder: Path) -> Callable:
    from histopatch.data.formats.kaggle import Kaggle
    from histopatch.data.splits import split_files
    from histopatch.settings import Split

    dataset = Kaggle(str(folder), slide_map=str(folder / "slides.csv"))
    split = Split(validation_fraction=0.15, seed=42, group_by="slide", folds=5)
    files = str(folder / "clean.csv"), str(folder / "split.csv")
    return lambda: split_files(files[0], dataset, None, None, split, files[1])


def auditing(folder: Path) -> Callable:
    from histopatch.leakage.audit import audit_files

    files = (str(folder / name) for name in ("split.csv", "duplicates.csv", "audit.json", "audit.csv"))
    return lambda: audit_files(*files)


def reading_for_a_training(folder: Path) -> Callable:
    import torch

    from histopatch.data.folds import parts, read_split
    from histopatch.engine.train import make_subset

    files = str(folder / "split.csv"), str(folder / "index.parquet")
    device = torch.device("cpu")
    return lambda: [make_subset(side, "none", device) for side in parts(read_split(*files), fold=0)]


def statistics(folder: Path) -> Callable:
    from histopatch.evaluation.predictions import known_patches, read_predictions

    def summarise() -> dict:
        with known_patches(folder / "split.csv") as patches:
            predictions = read_predictions([folder / "predictions.csv"], patches)
        return predictions.summarise()

    return summarise


def final_model(folder: Path) -> Callable:
    from histopatch.evaluation.final import final_tables
    from histopatch.settings import Split
    from histopatch.statistics.ensembles import Ensemble

    (folder / "best.json").write_text(json.dumps({"final_folder": "run", "chosen_from": 1, "members": []}))
    tables = ("reliability", "roc", "precision_recall", "decision_curve", "abstaining", "error_by_coverage")
    made = {name: str(folder / f"{name}.csv") for name in ("operating_points", "auc_by_group", *tables)}
    split = Split(validation_fraction=0.15, seed=42, group_by="slide", folds=5)
    given = str(folder / "best.json"), [str(folder / "predictions.csv")], None, Ensemble(), split
    made["metrics"] = str(folder / "metrics.json")
    return lambda: final_tables(*given, str(folder / "split.csv"), [0.1], made)


def subgroups(folder: Path) -> Callable:
    from histopatch.evaluation.subgroups import subgroup_tables
    from histopatch.statistics.ensembles import Ensemble

    tables = ("split", "operating_points", "clusters", "subgroups", "heterogeneity")
    split, points, clusters, *made = (str(folder / f"{name}.csv") for name in tables)
    given = [str(folder / "predictions.csv")], None, Ensemble(), split, points, clusters, None
    return lambda: subgroup_tables(*given, *made)


STEPS = {
    "check before any job": check_before_any_job,
    "index of a pack": index_of_a_pack,
    "cleaning": cleaning,
    "giveaways": giveaways,
    "splitting": splitting,
    "audit": auditing,
    "reading for a training": reading_for_a_training,
    "statistics": statistics,
    "the final model's tables": final_model,
    "its subgroups": subgroups,
}


# --- measuring --------------------------------------------------------------------------------------


def measure(work: Callable) -> dict:
    """Seconds, the peak of the process's memory in MB, and by how many MB the work raised it."""
    before, started = peak_bytes(), time.perf_counter()
    work()
    seconds, peak = time.perf_counter() - started, peak_bytes()
    return {"seconds": seconds, "peak": peak / 1e6, "raised": (peak - before) / 1e6}


def measured(step: str, count: int, folder: str) -> dict:
    print(f"{step} of {count:,} rows", file=sys.stderr)
    command = [sys.executable, __file__, "--step", step, "--folder", folder]
    found = json.loads(subprocess.check_output(command, text=True).splitlines()[-1])
    return {
        "step": step,
        "rows": count,
        "seconds": found["seconds"],
        "µs a row": 1e6 * found["seconds"] / count,
        PEAK: found["peak"],
        "bytes a row over the imports": 1e6 * found["raised"] / count,
    }


def draw(found: pd.DataFrame) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for axis, column in zip(axes, ("seconds", PEAK), strict=True):
        for step, rows in found.groupby("step", sort=False):
            axis.loglog(rows.rows, rows[column], marker="o", label=step)
        axis.set(xlabel="rows", ylabel=column)
        low, high = np.log10([found[column].min(), found[column].max()])
        axis.set_ylim(10 ** np.floor(low), 10 ** np.ceil(high))
        axis.xaxis.set_major_formatter("{x:,.0f}")
        axis.yaxis.set_major_formatter("{x:,g}")
        axis.grid(alpha=0.3)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper")
    path = Path("table_scale.png")
    figure.savefig(path, dpi=150)
    print(f"\ndrawn: {path}")


if __name__ == "__main__":
    main()
