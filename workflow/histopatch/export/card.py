"""The model card: what the final model is, how good it is on what, what it is for and what not.

After Mitchell et al., Model Cards for Model Reporting, FAT* 2019. Every number is read from a table.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from histopatch.evaluation.clinical_use import describe_calibration
from histopatch.evaluation.external_words import describe_external
from histopatch.evaluation.facts import FACTS, read_facts
from histopatch.evaluation.group_words import describe_subgroups
from histopatch.evaluation.intervals import rate
from histopatch.evaluation.limits import SYNTHETIC, describe_limits
from histopatch.evaluation.markdown import code, escape
from histopatch.export.licences import describe_initial_weights
from histopatch.files import read_table, replacing
from histopatch.settings import Settings
from histopatch.statistics.operating_points import CRITERIA

OF_DATA = ("counts", "rejected", "slides", "sides", "leakage", "giveaways")
OF_RUNS = ("architecture", "input", "training", "software")


def write_card(
    description: str,
    reports: Sequence[str],
    sources: dict[str, str],
    tables: dict[str, str],
    external: Sequence[str],
    card: str,
) -> None:
    """Write the card (Markdown).

    description: model.json; reports: the run.json of each of its networks; sources: the files `cleaning`,
    `flow`, `audit`, `giveaways`, `best`, `metrics` and `operating_points` that `facts.FACTS` names; tables:
    `subgroups` and `heterogeneity` of the final model, and the tables of all `runs` and of those with several
    `seeds`; external: the two tables of `external_tables`, where there are external data sets.
    """
    model, metrics = (json.loads(Path(path).read_text()) for path in (description, sources["metrics"]))
    runs = [json.loads(Path(report).read_text()) for report in reports]
    facts = {name: escape(fact.text) for name, fact in read_facts(sources).items()}
    groups, tests, all_runs, seeds = (
        read_table(tables[name]) for name in ("subgroups", "heterogeneity", "runs", "seeds")
    )
    cleaned = json.loads(Path(sources["cleaning"]).read_text())
    lines = [f"# Model card: {code(model['experiment'])}", "", *_purpose(model), ""]
    lines += [f"**{SYNTHETIC}**", ""] if cleaned["synthetic"] else []
    lines += ["## Data", "", *(f"- {facts[name]}" for name in OF_DATA), ""]
    lines += ["## Model", "", *(f"- {line}" for line in _networks(model, runs)), f"- {facts['choice']}", ""]
    lines += ["## Results", "", f"{facts['measured']} {facts['performance']}", "", facts["note"], ""]
    lines += [*_operating_points(read_table(sources["operating_points"])), ""]
    if model["recalibration"]:
        lines += [describe_calibration(metrics["measured"]), "", _recalibration(model["recalibration"]), ""]
    lines += ["### By group", "", *describe_subgroups(groups, tests), ""]
    if external:
        lines += ["### External data", "", *describe_external(*map(read_table, external)), ""]
    limits = describe_limits(all_runs, seeds, bool(external))
    lines += ["## Limits", "", *(f"- {limit}" for limit in limits), ""]
    licences = dict.fromkeys(describe_initial_weights(Settings(**run["settings"])) for run in runs)
    lines += ["## Licence", "", *(f"- {licence}" for licence in licences), ""]
    lines += [
        "What the licence of initial weights asks for may bind this model, too.",
        "",
        "For the authors to add: where the patches come from, how label 1 was determined, under which terms "
        "the model is passed on, and whom to ask.",
    ]
    with replacing(card) as temporary:
        temporary.write_text("\n".join(lines) + "\n")


def _purpose(model: dict) -> list[str]:
    size, positive = model["patch_size"], model["labels"]["1"]
    largest = max(model["onnx"]["differences"].values())
    meaning = "" if positive == "positive" else f", {code(positive)}"
    return [
        "**Not a medical device, and not validated for diagnosis.**",
        "",
        f"The model gives a histology patch of {size}×{size} pixels the probability of label 1{meaning}.",
        "",
        "## Intended use",
        "",
        "- For research on patches like those that it was trained on: of the same size, magnification, stain "
        "and kind of scanner.",
        "- Not for decisions about patients, for whole slides as they are, or for other tissue, stains or "
        "magnifications without a validation of one's own.",
        "",
        "```python",
        "from histopatch import inference",
        "",
        'model = inference.load("final/model")  # this folder',
        f"probabilities = model.predict(images)  # uint8 N×{size}×{size}×3, or a list of files",
        "```",
        "",
        "`model.onnx` does the same without this package: uint8 "
        f"N×{size}×{size}×3 in, as it comes out of an image file, `probability` out. It differs from PyTorch "
        f"by at most {largest:.0e}, on patches of the experiment.",
    ]


def _networks(model: dict, runs: list[dict]) -> list[str]:
    """What the networks are: the same of those of one run, so that each sentence stands there once."""
    count, average = len(runs), model["average"]
    lines = ["One network." if count == 1 else f"{count} networks, averaged by {average}."]
    return [*lines, *dict.fromkeys(escape(FACTS[name][1](run)) for name in OF_RUNS for run in runs)]


def _operating_points(points: pd.DataFrame) -> list[str]:
    first = points.iloc[0]
    lines = [
        f"Thresholds were chosen on {first.chosen_on} and are reported on {first.reported_on}, with 95 % "
        "intervals:",
        "",
        "| chosen for | threshold | sensitivity | specificity |",
        "| --- | --: | --- | --- |",
    ]
    for row in points.to_dict("records"):
        rates = [rate(row, name) for name in ("sensitivity", "specificity")]
        lines.append(f"| {CRITERIA[row['point']]} | {row['threshold']:.4f} | {' | '.join(rates)} |")
    return lines


def _recalibration(fitted: dict) -> str:
    return (
        "The thresholds are for probabilities as they are. `recalibrated=True` recalibrates them, by sigmoid("
        f"{fitted['intercept']:.3f} + {fitted['slope']:.3f} · logit), which was fitted on "
        f"{fitted['fitted_on']}."
    )
