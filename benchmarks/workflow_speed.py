"""Seconds that a plain `snakemake` takes to find that nothing is to be done, and to plan many trainings.

    python benchmarks/workflow_speed.py

Each experiment lives in a project of its own in a temporary folder. One tiny run is trained for real and
its files stand in for those of all other runs: Snakemake sees the same files and remembers as much of
them as after 500 trainings. All other jobs run for real. The plan is a dry run of an experiment of which
nothing is there yet.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from machine import cpu_seconds, describe_machine, table

from histopatch import config
from histopatch.data.images import ImageFiles, names_digest
from histopatch.data.listing import list_images
from histopatch.experiment import read_experiment

ROOT = Path(__file__).parents[1]
SNAKEMAKE = [sys.executable, "-m", "snakemake", "--cores", "1", "--resources", "gpu=1"]
TINY_DATA = {
    "format": "synthetic",
    "synthetic": {"train_patches": 400, "test_patches": 10, "slides": 20, "seed": 1},
}
LRS, DROPOUTS = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3], [0.2, 0.3]
IMAGE_NAMES = 277_000
FIVE_FOLDS = {"splits": {"main": {"folds": 5}}}
REPEATS = 3


def main() -> None:
    arguments = parse()
    machine = describe_machine()
    with tempfile.TemporaryDirectory(prefix="workflow-speed-") as temporary:
        folder = Path(temporary)
        rows = [
            time_nothing(make_project(folder / "demo", "demo", demo_experiment()), target=6),
            time_nothing(make_project(folder / "many", "many", many_runs(arguments.runs)), target=20),
            time_plan(copy_project(folder / "planned", "planned", many_runs(arguments.planned) | FIVE_FOLDS)),
            time_folder_check(folder / "images"),
        ]
    print(machine, table(rows), sep="\n\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--runs", type=int, default=500, help="runs of the large experiment, rounded down to tens"
    )
    parser.add_argument(
        "--planned", type=int, default=2000, help="runs of the one that is planned, in five folds, likewise"
    )
    return parser.parse_args()


# --- the experiments --------------------------------------------------------------------------------


def shipped_config() -> dict:
    return yaml.safe_load((ROOT / "config.yaml").read_text())


def demo_experiment() -> dict:
    """The shipped demo with fewer patches, which changes none of the jobs."""
    return shipped_config()["experiments"]["demo"] | {"dataset": TINY_DATA}


def many_runs(count: int) -> dict:
    """A grid of so many runs of a small network, rounded down to tens."""
    seeds = list(range(max(1, count // (len(LRS) * len(DROPOUTS)))))
    return {
        "dataset": TINY_DATA,
        "defaults": {"backbone": "resnet18", "weights": "none", "image_size": 32, "precision": "fp32"},
        "studies": {"grid": {"grid": {"lr": LRS, "dropout": DROPOUTS, "seed": seeds}}},
        "final": {"study": "grid", "overrides": {"epochs": 2}},
    }


# --- projects ---------------------------------------------------------------------------------------


def copy_project(project: Path, name: str, experiment: dict) -> Path:
    """A copy of the repository's workflow with an experiment of its own beside the shipped ones."""
    project.mkdir()
    shutil.copy2(ROOT / "Snakefile", project)
    for folder in ("workflow", "profiles"):
        shutil.copytree(ROOT / folder, project / folder)
    settings = shipped_config()
    settings["experiments"][name] = experiment
    settings["experiment"] = name
    (project / "config.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    return project


def make_project(project: Path, name: str, experiment: dict) -> Path:
    """The same with all results of the experiment."""
    print(f"making the project {project.name}", file=sys.stderr)
    copy_project(project, name, experiment)
    first, *others = run_folders(project)
    snakemake(project, "--", report_of(first))
    for other in others:
        shutil.copytree(project / first, project / other)
    # Recorded as made by their rule, with their params: else Snakemake would have less to compare.
    snakemake(project, "--touch", "--forcerun", "train", "--", *map(report_of, others))
    snakemake(project)
    return project


def run_folders(project: Path) -> list[str]:
    """The folders of the runs of all studies, one for each fold, relative to the project."""
    settings = config.load(yaml.safe_load((project / "config.yaml").read_text()))
    name = settings["experiment"]
    experiment = read_experiment(name, settings["experiments"][name])
    return [
        f"results/{name}/{report.removesuffix('/run.json')}"
        for folder in experiment.study_folders
        for report in experiment.run_files(folder, "run.json")
    ]


def report_of(folder: str) -> str:
    return f"{folder}/run.json"


def snakemake(project: Path, *arguments: str) -> str:
    """Call Snakemake in a project as a user would; ends with what it printed where it fails."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "SNAKEMAKE_PROFILE")}
    done = subprocess.run(
        [*SNAKEMAKE, *arguments], cwd=project, env=environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{done.stdout}\nError: snakemake failed in {project}")
    return done.stdout


# --- measuring --------------------------------------------------------------------------------------


def time_nothing(project: Path, target: float) -> dict:
    """The row of a plain call in a finished project; ends with one line if there was something to do."""

    def call() -> None:
        output = snakemake(project)
        if "nothing to do" not in output:
            sys.exit(f"{output}\nError: the experiment {project.name} was not up to date")

    what = f"plain snakemake, nothing to do, {len(run_folders(project))} runs ({project.name})"
    return {"what": what, **seconds(call), "target, s": target}


def time_plan(project: Path) -> dict:
    """The row of a dry run in a project where every training is to be done."""
    folders = run_folders(project)
    what = f"dry run, {len(folders):,} trainings to do ({project.name})"
    return {"what": what, **seconds(lambda: snakemake(project, "--dry-run", "--quiet"), 1), "target, s": 60}


def time_folder_check(folder: Path) -> dict:
    """The row of the digest of a folder's image names, which a data set of files costs each call."""
    folder.mkdir()
    for number in range(IMAGE_NAMES):
        (folder / f"{number:040x}.tif").touch()

    def check() -> None:
        files = list_images(folder)
        names_digest(ImageFiles(str(folder), [Path(file).stem for file in files], files))

    return {"what": f"digest of {IMAGE_NAMES:,} image names", **seconds(check), "target, s": None}


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> dict:
    """Median, fastest and slowest of a few calls, and the median of their processor time."""
    times, cpu_times = [], []
    for _ in range(repeats):
        started, cpu = time.perf_counter(), cpu_seconds()
        work()
        times.append(time.perf_counter() - started)
        cpu_times.append(cpu_seconds() - cpu)
    return {
        "median, s": statistics.median(times),
        "fastest, s": min(times),
        "slowest, s": max(times),
        "CPU time, s": statistics.median(cpu_times),
    }


if __name__ == "__main__":
    main()
