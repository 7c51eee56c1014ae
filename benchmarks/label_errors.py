"""How many of the labels that the pipeline suspects first were flipped on purpose.

    python benchmarks/label_errors.py --data <a folder in Kaggle's layout>

A share of the labels is flipped at random, the pipeline cross-validates a model on the patches with these
labels and ranks the suspects. Labels that were wrong before count against it, because nobody knows them.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from machine import describe_machine, table

from histopatch.evaluation.predictions import ids_at, known_patches, read_predictions
from histopatch.files import read_table
from histopatch.statistics.area import auroc

ROOT = Path(__file__).parents[1]
FIRST = (10, 24, 50, 100)  # suspects


def main() -> None:
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="label-errors-") as temporary:
        project = Path(temporary)
        for name in ("Snakefile", "workflow", "profiles"):
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, project / name)
        truth, flipped = plant(project / "data", arguments)
        write_config(project, arguments)
        command = [sys.executable, "-m", "snakemake", "--cores", "all", "--resources", "gpu=1", "--"]
        subprocess.run([*command, "results/planted/final/suspect_labels.csv"], cwd=project, check=True)
        suspects = read_table(project / "results/planted/final/suspect_labels.csv")
        files = sorted((project / "results/planted/runs").glob("*/fold-*/predictions.csv"))
        split = project / "results/planted/splits/main.csv"
        with known_patches(split) as patches:
            predicted = read_predictions(files, patches)
        ids = ids_at(split, predicted.places)
    area = auroc(truth.loc[ids].to_numpy(), predicted.probabilities)
    hits = suspects.id.isin(flipped).to_numpy()
    print(describe_machine())
    print(f"\n{len(flipped)} of {len(truth):,} labels flipped; AUROC {area:.4f} by the labels before that")
    print(f"{len(suspects)} suspects, {hits.sum()} of them flipped\n")
    print(
        table(
            [
                {"first": count, "flipped": int(hits[:count].sum()), "precision": hits[:count].mean()}
                for count in sorted({min(first, len(hits)) for first in FIRST})
            ]
        )
    )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, type=Path, help="train/ and train_labels.csv")
    parser.add_argument("--share", type=float, default=0.02, help="of the labels that are flipped")
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--size", type=int, default=96, help="height and width in pixels")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="of the flips")
    return parser.parse_args()


def plant(root: Path, arguments: argparse.Namespace) -> tuple[pd.Series, set[str]]:
    """The same images with flipped labels: the labels before, and whose are flipped."""
    root.mkdir()
    (root / "train").symlink_to((arguments.data / "train").resolve())
    labels = pd.read_csv(arguments.data / "train_labels.csv", dtype={"id": str}).set_index("id").label
    drawn = np.random.default_rng(arguments.seed).choice(
        len(labels), round(arguments.share * len(labels)), False
    )
    planted = labels.copy()
    planted.iloc[drawn] = 1 - planted.iloc[drawn]
    planted.reset_index().to_csv(root / "train_labels.csv", index=False)
    return labels, {*labels.index[drawn]}


def write_config(project: Path, arguments: argparse.Namespace) -> None:
    """The configuration of one cross-validated run, which is the final model, too."""
    settings = {
        "backbone": arguments.backbone, "image_size": arguments.size, "epochs": arguments.epochs,
        "batch_size": 32, "lr": 1e-3, "scheduler": "one_cycle",
    }  # fmt: skip
    experiment = {
        "dataset": {"format": "kaggle", "root": "data"},
        "splits": {"main": {"folds": arguments.folds}},
        "defaults": settings,
        "studies": {"only": {"runs": {"one": {}}}},
        "final": {"study": "only"},
    }
    whole = {"experiment": "planted", "experiments": {"planted": experiment}}
    (project / "config.yaml").write_text(yaml.safe_dump(whole))


if __name__ == "__main__":
    main()
