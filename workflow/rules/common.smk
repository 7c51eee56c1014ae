# What the rules share: the checked configuration, the facts of an experiment, and the run-time lock.
import fcntl
import json
import os
import sys
from pathlib import Path

WORKFLOW = Path(workflow.basedir) / "workflow"
sys.path.insert(0, str(WORKFLOW))

from histopatch import cores, fingerprints, runs
from histopatch.config import load
from histopatch.data.layout import check_layout
from histopatch.errors import InputError

# The scripts are processes of their own, which inherit this.
os.environ.update({"PYTHONPATH": str(WORKFLOW)} | cores.ENVIRONMENT)


def ordered(value):
    """Keys sorted at every depth: Snakemake compares params by their text, where the order would count."""
    return {key: ordered(value[key]) for key in sorted(value)} if isinstance(value, dict) else value


try:
    config.update(load(config))
    EXPERIMENTS = ordered(config["experiments"])
    chosen = EXPERIMENTS[config["experiment"]]["dataset"]
    if chosen["format"] == "kaggle":
        check_layout(chosen["root"], chosen.get("slides"))
    RUNS = {}
    for name in EXPERIMENTS:
        try:
            RUNS[name] = runs.all_runs(EXPERIMENTS[name])
        except InputError as error:
            raise InputError(f"experiments.{name}.{error}") from None
except InputError as error:
    sys.exit(f"Error: {error}")


wildcard_constraints:
    experiment="|".join(EXPERIMENTS),
    part="train|test",
    split="|".join({split for name in EXPERIMENTS for split in EXPERIMENTS[name]["splits"]}),
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
    """Every run of every study: which study, its name there, its folder, its settings and its folds."""
    return [
        {
            "study": study,
            "run": run,
            "folder": member.folder,
            "settings": member.settings,
            "folds": runs.fold_count(EXPERIMENTS[name], member),
        }
        for study in EXPERIMENTS[name]["studies"]
        for run, member in runs.study_runs(EXPERIMENTS[name], study).items()
    ]


def run_files(name, folder, *files):
    """The paths of some of a run's files, one after the other for each fold."""
    folds = range(runs.fold_count(EXPERIMENTS[name], RUNS[name][folder]))
    return [f"results/{name}/runs/{folder}/fold-{fold}/{file}" for file in files for fold in folds]


def study_files(name, *files):
    """The same of every run of every study, each once."""
    folders = sorted({member["folder"] for member in study_members(name)})
    return [path for folder in folders for path in run_files(name, folder, *files)]


def slide_tables(name):
    """The tables of the splits, which know the slides."""
    return [f"results/{name}/splits/{split}.csv" for split in EXPERIMENTS[name]["splits"]]


def has_held_out(name):
    """Whether the final model is measured on a part that is held out."""
    finals = runs.final_runs(EXPERIMENTS[name]).values()
    return any(EXPERIMENTS[name]["splits"][run.settings["split"]]["held_out_fraction"] for run in finals)


def kept_files(name):
    """Everything that an experiment keeps, so that a deleted file is made again.

    Every file is named, even where its job has other outputs: Snakemake does not miss a file that only
    jobs which are up to date read. Those of the final run are not known yet: see `final_run`.
    """
    studies, splits = EXPERIMENTS[name]["studies"], EXPERIMENTS[name]["splits"]
    files = [f"pack/{part}.{kind}" for part in ("train", "test") for kind in PACK_FILES]
    files += ["pack/train.duplicates.csv"]
    files += [f"labels/{file}" for file in ("clean.csv", "rejected.csv", "summary.json")]
    files += [f"splits/{split}.{kind}" for split in splits for kind in SPLIT_FILES]
    if any(split["group_by"] == "appearance" for split in splits.values()):
        files += ["pack/train.appearance.csv"]
    files += [f"explore/{table}.csv" for table in ("images", "class_balance", "rgb_histograms")]
    files += [f"tables/{table}.csv" for table in ("runs", "effects", "seeds", *studies)]
    files += [f"final/{file}" for file in ("best.json", "test_predictions.csv", *FINAL_TABLES)]
    if has_held_out(name):
        files += ["final/held_out_predictions.csv"]
    files += ["tables/summary.md", "submission.csv"]
    if EXPERIMENTS[name]["dataset"]["format"] == "synthetic":
        files += [f"source/{file}" for file in SOURCE_FILES]
    results = [f"results/{name}/{file}" for file in files]
    return results + kept_figures(name) + study_files(name, *RUN_FILES)


# --- what makes a job stale -------------------------------------------------------------------------


def code(script, modules=()):
    """Digest of a script and all that it imports; a param of its rule, since modules are not tracked.

    modules: library modules that the script imports by name.
    """
    return fingerprints.code(WORKFLOW / "scripts" / script, tuple(modules))


# --- while the workflow runs ------------------------------------------------------------------------


onstart:
    # Held until this process ends, however it ends: a killed workflow leaves no stale lock, and a
    # second call at the same time is refused. (Snakemake's own lock is switched off in the profile.)
    Path(".snakemake").mkdir(exist_ok=True)
    global lock_file
    lock_file = open(".snakemake/histopatch.lock", "w")
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Error: another snakemake is at work in this folder; wait for it.", file=sys.stderr)
        os._exit(1)
