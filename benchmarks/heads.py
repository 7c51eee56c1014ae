"""What twenty heads on the features of one frozen encoder cost, compared with one.

    python benchmarks/heads.py --data data/mine --size 224

The pipeline itself computes the features and trains one head, then nineteen more, which read the same
features, as many at a time as there are cores. Each job is a process of its own that loads PyTorch first: the
less there is to embed, the more that weighs.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from machine import cpu_seconds, describe_machine, table

from histopatch import config
from histopatch.banks import bank_of
from histopatch.experiment import Experiment, read_experiment

ROOT = Path(__file__).parents[1]
SNAKEMAKE = [sys.executable, "-m", "snakemake", "--cores", "all", "--resources", "gpu=1"]
HEADS = 20


def main() -> None:
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="heads-") as temporary:
        project = Path(temporary)
        for name in ("Snakefile", "workflow", "profiles"):
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, project / name)
        experiment = write_config(project, arguments)
        run(project, "splits/main.csv")
        first, *others = [experiment.run_files(folder, "run.json")[0] for folder in experiment.study_folders]
        one, more = run(project, first), run(project, *others)
        bank = bank_of(experiment.runs[experiment.study_folders[0]].identity)
        facts = json.loads((project / f"results/heads/features/{bank.name}.json").read_text())
        spent = [seconds_of(project, report) for report in (first, *others)]
    rows = [row("features and one head", one, one), row(f"features and {HEADS} heads", one, one, more)]
    print(describe_machine(), table(rows), sep="\n\n")
    print(
        f"\nOf this, embedding took {facts['seconds']:.1f} s, and training a head {max(spent):.2f} s at most."
    )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="a folder in Kaggle's layout; without it patches are synthetic")
    parser.add_argument("--patches", type=int, default=2000, help="of these so many")
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--size", type=int, default=96, help="height and width in pixels")
    return parser.parse_args()


def write_config(project: Path, arguments: argparse.Namespace) -> Experiment:
    """The configuration of an experiment with twenty heads."""
    synthetic = {"train_patches": arguments.patches, "test_patches": 10, "slides": 20}
    kaggle = {"format": "kaggle", "root": str(Path(arguments.data or ".").resolve())}
    settings = {
        "backbone": arguments.backbone, "weights": arguments.weights, "image_size": arguments.size,
        "freeze_backbone": True, "feature_head": "linear", "epochs": 5,
        "augmentation": {"flips": False, "rotation": 0},
    }  # fmt: skip
    experiment = {
        "dataset": kaggle if arguments.data else {"format": "synthetic", "synthetic": synthetic},
        "defaults": settings,
        "studies": {"rate": {"grid": {"lr": [1e-4 * (number + 1) for number in range(HEADS)]}}},
        "final": {"study": "rate"},
    }
    whole = {"experiment": "heads", "experiments": {"heads": experiment}}
    (project / "config.yaml").write_text(yaml.safe_dump(whole))
    return read_experiment("heads", config.load(whole)["experiments"]["heads"])


def run(project: Path, *files: str) -> tuple[float, float]:
    """Seconds and processor seconds that the pipeline takes for some files of the experiment."""
    started, used = time.perf_counter(), cpu_seconds()
    targets = [f"results/heads/{file}" for file in files]
    subprocess.run([*SNAKEMAKE, "--", *targets], cwd=project, check=True, capture_output=True)
    return time.perf_counter() - started, cpu_seconds() - used


def seconds_of(project: Path, report: str) -> float:
    """Seconds that a head was trained and evaluated, without the start of its process."""
    seconds = json.loads((project / "results/heads" / report).read_text())["seconds"]
    return seconds["train"] + seconds["evaluate"]


def row(what: str, one: tuple[float, float], *parts: tuple[float, float]) -> dict:
    wall, processor = (sum(part[kind] for part in parts) for kind in (0, 1))
    return {
        "what": what,
        "seconds": round(wall, 1),
        "times one": round(wall / one[0], 2),
        "processor seconds": round(processor, 1),
        "times one, processor": round(processor / one[1], 2),
    }


if __name__ == "__main__":
    main()
