"""What jobs do, in words, with the names of the configuration: on the terminal and in `make status`."""

from collections.abc import Mapping

from histopatch.experiment import EXTERNAL, Experiment
from histopatch.figures.catalogue import FIGURES

TRAININGS = ("train", "rung")
DRAWING = "figure_"

# By rule. One that is not here goes by its own name.
DOING = {
    "appearance": "measuring the appearance of the patches",
    "audit": "auditing the split `{split}` for leakage",
    "augmentation": "augmenting an example patch",
    "best": "choosing the best run",
    "check_images": "checking all images",
    "checklists": "filling in the reporting checklists",
    "class_balance": "counting the classes",
    "choice": "judging what each comparison is worth",
    "clean": "cleaning the labels",
    "clusters": "grouping the patches by appearance",
    "compare": "comparing the runs",
    "duplicates": "looking for duplicates",
    "effects": "estimating what each setting changed",
    "errors": "listing the misclassified patches",
    "explain": "looking where the final model looks",
    "export": "exporting the final model",
    "external": "measuring the final model on the external data sets",
    "external_patches": "listing the patches of the external data set `{external}`",
    "features": "computing the features `{bank}`",
    "final_metrics": "measuring the final model",
    "figure_lr_range": "drawing the learning-rate range test of {run}",
    "flow": "counting what is left out of the split `{split}`",
    "giveaways": "looking for what gives a class away",
    "groups": "looking up the groups of the patches",
    "label_errors": "looking for suspicious labels",
    "lr_range": "trying learning rates for {run}",
    "model_card": "writing the model card",
    "pack": "packing the {part} images",
    "pack_shard": "packing the {part} images, shard {shard}",
    "predict_external": "predicting the external data set `{external}`",
    "predict_held_out": "predicting the held-out patches",
    "predict_test": "predicting the test images",
    "promote": "choosing which runs of `{study}` go on after epoch {epochs}",
    "report": "writing the report",
    "rgb_histograms": "counting the intensities",
    "seeds": "comparing the seeds",
    "shared_images": "looking for own images in the external data set `{external}`",
    "split": "making the split `{split}`",
    "study": "tabulating the study `{study}`",
    "subgroups": "measuring the final model on each group",
    "submission": "writing the submission",
    "summary": "writing the summary",
    "synthetic": "making synthetic patches",
    "test_ids": "checking what the submission must name",
    "verdict": "judging the audit of the split `{split}`",
}


def job_in_words(rule: str, wildcards: Mapping[str, str], experiment: Experiment) -> str:
    """What a job does: ``training `architecture: lite0`, fold 2 of 3``.

    wildcards: those of the job's rule by name; experiment: the one whose files the job makes.
    """
    if rule in TRAININGS:
        return _training(wildcards, experiment)
    figures = {f"{DRAWING}{figure.name}": figure.label for figure in FIGURES}
    if rule in figures:
        return f"drawing the figure `{figures[rule]}`".format(**wildcards)
    named = dict(wildcards)
    if "run" in named:
        named["run"] = run_name(named["run"], experiment)
    if rule in DOING:
        _, _, external = experiment.name.partition(EXTERNAL)
        return DOING[rule].format(**named) + (f" of the external data set `{external}`" if external else "")
    about = ", ".join(str(value) for key, value in named.items() if key != "experiment")
    return rule.replace("_", " ") + (f" ({about})" if about else "")


def run_name(folder: str, experiment: Experiment) -> str:
    """What the configuration calls a run, by its folder: `` `study: name` ``, with its other studies.

    The final training goes by the run whose settings it takes. A folder of no run stays as it is.
    """
    names = _names(experiment, folder)
    if names:
        (first, *others) = names
        return f"`{first[0]}: {first[1]}`" + (
            f" (in {', '.join(study for study, _ in others)}, too)" if others else ""
        )
    for winner, run in experiment.final_runs.items():
        if run.folder == folder:
            return f"the final model, `{': '.join(_names(experiment, winner)[0])}` again"
    return folder


def count(number: int, noun: str) -> str:
    """`no runs`, `1 run`, `2 runs`."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def joined(items: list[str], shown: int = 4) -> str:
    """The first few items, and how many more there are."""
    more = len(items) - shown
    return ", ".join(items[:shown]) + (f" and {more} more" if more > 0 else "")


def duration(seconds: float) -> str:
    """A time to read at a glance: `40 s`, `6 min`, `2 h 10 min`."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} min"


def _training(wildcards: Mapping[str, str], experiment: Experiment) -> str:
    folder = wildcards["run"]
    words = f"training {run_name(folder, experiment)}"
    folds = experiment.fold_count(experiment.runs[folder]) if folder in experiment.runs else 1
    if folds > 1:
        words += f", fold {int(wildcards['fold']) + 1} of {folds}"
    return words + (f", up to epoch {wildcards['epochs']}" if "epochs" in wildcards else "")


def _names(experiment: Experiment, folder: str) -> list[tuple[str, str]]:
    """The studies that have a run, each with the run's name there."""
    return [
        (study, name)
        for study, runs in experiment.studies.items()
        for name, run in runs.items()
        if run.folder == folder
    ]
