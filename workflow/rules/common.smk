# What the rules share: the checked configuration, the facts of an experiment, and the run-time lock.
import fcntl
import json
import os
import sys
from pathlib import Path

WORKFLOW = Path(workflow.basedir) / "workflow"
sys.path.insert(0, str(WORKFLOW))
os.environ["PYTHONPATH"] = str(WORKFLOW)  # for the scripts, which are processes of their own

from pcam import fingerprints, runs
from pcam.config import load
from pcam.data.layout import check_layout
from pcam.errors import InputError

RESULTS = "results/{experiment}"


try:
    config.update(load(config))
    EXPERIMENTS = config["experiments"]
    chosen = EXPERIMENTS[config["experiment"]]["dataset"]
    if chosen["format"] == "kaggle":
        check_layout(chosen["root"], chosen.get("slides"))
    RUNS = {name: runs.all_runs(experiment) for name, experiment in EXPERIMENTS.items()}
except InputError as error:
    sys.exit(f"Error: {error}")


wildcard_constraints:
    experiment="|".join(EXPERIMENTS),
    part="train|test",
    study="|".join({study for name in EXPERIMENTS for study in EXPERIMENTS[name]["studies"]}),
    run="[^/]+",


# --- facts of an experiment -------------------------------------------------------------------------


def experiment(wildcards):
    return EXPERIMENTS[wildcards.experiment]


def dataset_root(name):
    """The folder in Kaggle's layout; a synthetic one is made by a rule."""
    dataset = EXPERIMENTS[name]["dataset"]
    return dataset["root"] if dataset["format"] == "kaggle" else f"results/{name}/source"


def slide_map(name):
    """The file that says which slide a patch is from, or None."""
    dataset = EXPERIMENTS[name]["dataset"]
    if dataset["format"] == "synthetic":
        return f"results/{name}/source/slides.csv"
    return dataset.get("slides")


def sample_submission(name):
    """The sample submission, or None where a data set has none."""
    dataset, path = EXPERIMENTS[name]["dataset"], f"{dataset_root(name)}/sample_submission.csv"
    return path if dataset["format"] == "synthetic" or Path(path).is_file() else None


def study_members(name):
    """Every run of every study: which study, its name there, its folder and its settings."""
    return [
        {"study": study, "run": run, "folder": member.folder, "settings": member.settings}
        for study in EXPERIMENTS[name]["studies"]
        for run, member in runs.study_runs(EXPERIMENTS[name], study).items()
    ]


def run_folders(name):
    return sorted({member["folder"] for member in study_members(name)})


def kept_files(name):
    """Everything that an experiment is there for, so that a deleted file is made again."""
    studies = list(EXPERIMENTS[name]["studies"])
    figures = ["class_balance", "examples", "rgb_histograms", "top_runs", "cost"]
    figures += ["learning_curves", "roc", *(f"study-{study}" for study in studies)]
    tables = ["runs", "effects", *studies]
    return [
        *(f"results/{name}/{file}" for file in ("labels/rejected.csv", "labels/summary.json")),
        *(f"results/{name}/pack/{part}.rejected.csv" for part in ("train", "test")),
        *(f"results/{name}/splits/{split}.csv" for split in EXPERIMENTS[name]["splits"]),
        *(f"results/{name}/explore/{table}.csv" for table in ("images", "class_balance")),
        *(
            f"results/{name}/runs/{folder}/fold-0/{file}"
            for folder in run_folders(name)
            for file in RUN_FILES
        ),
        *(f"results/{name}/tables/{table}.csv" for table in tables),
        *(f"results/{name}/figures/{figure}.png" for figure in figures),
        f"results/{name}/tables/summary.md",
        f"results/{name}/final/metrics.json",
        f"results/{name}/submission.csv",
    ]


# --- what makes a job stale -------------------------------------------------------------------------


def code(script):
    """Digest of a script and all that it imports; a param of its rule, since modules are not tracked."""
    return fingerprints.code(WORKFLOW / "scripts" / script)


# --- while the workflow runs ------------------------------------------------------------------------


onstart:
    # Held until this process ends, however it ends: a killed workflow leaves no stale lock, and a
    # second call at the same time is refused. (Snakemake's own lock is switched off in the profile.)
    Path(".snakemake").mkdir(exist_ok=True)
    global lock_file
    lock_file = open(".snakemake/pcam.lock", "w")
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Error: another snakemake is at work in this folder; wait for it.", file=sys.stderr)
        os._exit(1)
