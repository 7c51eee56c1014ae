"""What the kept files say about a study, each fact with the file that it is read from.

A fact is a sentence or two made of what one file holds, nothing else; the checklists are filled with them.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from histopatch.data.units import UNITS
from histopatch.evaluation.counts import counted
from histopatch.evaluation.intervals import rate
from histopatch.evaluation.limits import SYNTHETIC
from histopatch.evaluation.split_descriptions import in_short
from histopatch.failures import finished
from histopatch.files import read_table
from histopatch.leakage.audit import KINDS
from histopatch.statistics.metrics import METRICS
from histopatch.statistics.operating_points import CRITERIA


class Fact(NamedTuple):
    """What is known, and the path of the file that says so."""

    text: str
    source: str


def read_facts(paths: dict[str, str]) -> dict[str, Fact]:
    """The facts that some files hold, by name. paths: of these files, by the names that stand in FACTS."""
    files = {name: _read(path) for name, path in paths.items()}
    return {
        name: Fact(describe(files[file]), paths[file])
        for name, (file, describe) in FACTS.items()
        if file in files
    }


def _read(path: str):
    return json.loads(Path(path).read_text()) if path.endswith(".json") else read_table(path)


# --- the data ---------------------------------------------------------------------------------------


def _counts(cleaning: dict) -> str:
    before, after = cleaning["before"], cleaning["after"]
    return (
        f"{after['patches']:,} patches with a usable label, {after['positive']:,} positive and "
        f"{after['negative']:,} negative, from {before['images']:,} image files and {before['label_rows']:,} "
        "label rows." + (f" {SYNTHETIC}" if cleaning["synthetic"] else "")
    )


def _rejected(cleaning: dict) -> str:
    reasons = [f"{reason} ({count:,})" for reason, count in cleaning["rejected"].items()]
    return f"Left out, never imputed: {', '.join(reasons)}." if reasons else "No image or label was left out."


def _quality(cleaning: dict) -> str:
    blank = cleaning["near_blank"]["used"]
    return (
        f"Every image is decoded and checked: {cleaning['images_set_aside']:,} could not be used, "
        f"{blank:,} of those used {'is' if blank == 1 else 'are'} nearly blank."
    )


def _excluded(flow: pd.DataFrame) -> str:
    images = flow[flow.step == "image excluded"]
    if images.empty:
        return "All images were used."
    reasons = [
        f"{row.reason} ({row.count_:,})" for row in images.rename(columns={"count": "count_"}).itertuples()
    ]
    return f"Images left out: {', '.join(reasons)}."


def _sides(flow: pd.DataFrame) -> str:
    sides = flow[~flow.step.str.contains("image|row|^patch$")].rename(columns={"count": "count_"})
    parts = [
        f"{row.step}: {row.count_:,} patches, {row.positive:.0f} positive"
        + ("" if pd.isna(row.slides) else f", {row.slides:.0f} slides")
        for row in sides.itertuples()
    ]
    return f"{'; '.join(parts)}."


def _slides(audit: dict) -> str:
    # By the coarser unit, as statistics are.
    unit = "patient" if audit.get("patients", {"known": 0})["known"] else "slide"
    known, without = audit[f"{unit}s"]["known"], audit[f"{unit}s"]["patches_without"]
    if not known:
        return "No slides are known, so patches count as independent."
    are, have = "is" if known == 1 else "are", "has" if without == 1 else "have"
    return f"{counted(known, unit)} {are} known; {counted(without, 'patch', 'patches')} {have} none."


def _leakage(audit: dict) -> str:
    unknown = {unit for unit in UNITS if not audit.get(f"{unit}s", {"known": 0})["known"]}
    found = [
        counted(pairs["crossing"], *KINDS[kind])
        for kind, pairs in audit["pairs"].items()
        if kind not in {*unknown, "two_labels"}  # which is no matter of sides
    ]
    return f"On more than one side of the split: {', '.join(found)}."


def _giveaways(table: pd.DataFrame) -> str:
    facts = [*table.fact[table.gives_away]]
    if not facts:
        return (
            f"None of {len(table)} facts about the files, such as their format or size, gives the label away."
        )
    return f"Facts about the files that give the label away: {', '.join(facts)}."


def _label_errors(suspects: pd.DataFrame) -> str:
    return (
        f"{counted(len(suspects), 'label')} {'is' if len(suspects) == 1 else 'are'} contradicted with "
        "confidence by networks that did not train on the patch (confident learning); none was changed."
    )


# --- the model --------------------------------------------------------------------------------------


def _input(run: dict) -> str:
    size, model = run["model"]["image_size"], run["model"]
    stain = run["settings"].get("stain_normalisation", "none")
    return (
        f"The pixels of a patch are the only predictors: resized to {size}×{size}, channels standardised "
        f"with means {model['mean']} and standard deviations {model['std']}, stain normalisation: {stain}."
    )


def _architecture(run: dict) -> str:
    settings, model = run["settings"], run["model"]
    return (
        f"A neural network ({model['architecture']}) from the initial weights "
        f"{settings.get('weights', 'none')!r}, with one output, the probability of label 1."
    )


def _training(run: dict) -> str:
    settings = ", ".join(f"{key} {value}" for key, value in run["settings"].items())
    epochs = run["epochs"]
    return f"Trained with: {settings}; kept after {epochs['kept']} of {epochs['trained']} epochs."


def _balance(run: dict) -> str:
    used = {key: run["settings"].get(key) for key in ("balance", "pos_weight", "focal_gamma")}
    used = [f"{key} {value}" for key, value in used.items() if value not in (None, "none", False, 0)]
    return (
        f"Against class imbalance: {', '.join(used)}."
        if used
        else "No method against class imbalance was used."
    )


def _software(run: dict) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in run["libraries"].items())
    return f"Computed with {versions} on {run['device']}; digest of code and data: {run['made_from'][:12]}."


def _choice(best: dict) -> str:
    runs = ", ".join(member["run"] for member in best["members"])
    score = f"{best['metric']} ({best['value']:.4f})"
    return f"{runs}: chosen among {best['chosen_from']:,} configurations by {score}."


def _weights(best: dict) -> str:
    folders = ", ".join(f"runs/{member['final_folder']}" for member in best["members"])
    return (
        f"The weights (model.safetensors) and their settings and input format (run.json) are under "
        f"{folders}; together and with a model card they are in final/model, for use elsewhere."
    )


def _studies(runs: pd.DataFrame) -> str:
    studies, runs = runs.study.nunique(), runs.drop_duplicates("folder")  # one may be in several
    whole = finished(runs)
    patches = dict.fromkeys(map(in_short, whole.validated_on))
    return (
        f"Studies: {studies:,}. Runs: {len(runs):,}, trained to their end: {len(whole):,}, compared on "
        f"{' and '.join(patches)}; paired tests against the best of each study."
    )


# --- the evaluation ---------------------------------------------------------------------------------


def _networks(metrics: dict) -> str:
    folds, members = metrics["folds"], len(metrics["ensemble"]["members"]) if "ensemble" in metrics else 1
    if folds == members == 1:
        return "One network predicts new patches, and validation patches, on which it did not train."
    if folds == 1:
        return (
            f"The average of {members} networks predicts new patches, and validation patches, on which none "
            "of them trained."
        )
    by = "the network that did" if members == 1 else f"the average of the {members} networks that did"
    return (
        f"{folds} folds: a validation patch is predicted by {by} not train on it, a new patch by the average "
        f"of all {folds * members}."
    )


def _measured(metrics: dict) -> str:
    measured = metrics["measured"]
    return f"Measured on {measured['patches']:,} {measured['on']} ({measured['kind']})."


def _note(metrics: dict) -> str:
    return metrics["note"] or "One configuration was trained, and nothing was chosen."


def _performance(metrics: dict) -> str:
    measured = metrics["measured"]
    others = [f"{metric.label} {measured[name]:.4f}" for name, metric in METRICS.items() if name != "auc"]
    within = " within folds" if "pooled_auc" in measured else ""
    return (
        f"AUROC {measured['auc']:.4f}{within} (95 % interval {measured['auc_low']:.4f}–"
        f"{measured['auc_high']:.4f}, {measured['auc_interval']}), {', '.join(others)} on "
        f"{measured['patches']:,} {measured['on']}."
    )


def _measures(metrics: dict) -> str:
    names = [metric.label for name, metric in METRICS.items() if name in metrics["measured"]]
    return (
        f"Measures: {', '.join(names)}; interval of the AUROC: {metrics['measured']['auc_interval']}. Plots: "
        "ROC, precision–recall, reliability, confusion matrices."
    )


def _updating(reliability: pd.DataFrame) -> str:
    if reliability.empty:
        return "The final model averages ranks, which are no probabilities: none is recalibrated."
    before, after = (reliability[reliability.calibration == when].iloc[0] for when in ("before", "after"))
    return (
        f"Logistic recalibration with intercept {after.recalibration_intercept:.3f} and slope "
        f"{after.recalibration_slope:.3f}, fitted on {after.fitted_on}, would change the calibration error "
        f"on {after.reported_on} from {before.ece:.4f} to {after.ece:.4f}."
    )


def _thresholds(points: pd.DataFrame) -> str:
    chosen = [f"{row.threshold:.4f} ({CRITERIA[row.point]})" for row in points.itertuples()]
    first = points.iloc[0]
    return (
        f"Thresholds, chosen on {first.chosen_on} and reported on {first.reported_on}: {', '.join(chosen)}."
    )


def _rates(points: pd.DataFrame) -> str:
    rates = [
        f"at {row['threshold']:.4f} sensitivity {rate(row, 'sensitivity')} and specificity "
        f"{rate(row, 'specificity')}"
        for row in points.to_dict("records")
    ]
    return f"On {points.reported_on.iloc[0]}: {'; '.join(rates)}."


def _crossed(points: pd.DataFrame) -> str:
    tables = [
        f"at {row.threshold:.4f} {row.true_positives} true positives, {row.false_negatives} false negatives, "
        f"{row.false_positives} false positives, {row.true_negatives} true negatives"
        for row in points.itertuples()
    ]
    return f"{'; '.join(tables)}."


def _heterogeneity(groups: pd.DataFrame) -> str:
    known = groups[groups.auc.notna()]
    if known.empty:
        return "No group has patches of both classes, so there is no AUROC by group."
    known = known[known.kind == known.kind.iloc[0]]  # not the held-out part beside the folds
    return (
        f"AUROC of each {known.kind.iloc[0]} with both classes ({len(known)}): from {known.auc.min():.4f} to "
        f"{known.auc.max():.4f}, median {known.auc.median():.4f}."
    )


def _attribution(attribution: dict) -> str:
    share = attribution["occlusion"]["all"]
    if share is None:
        return "Error analysis: where the model looks is not known, as occlusion does not change its output."
    return (
        f"Error analysis: where the model looks. Occlusion gives the central {attribution['centre_size']} "
        f"pixels a share of {100 * share['mean']:.1f} % on {attribution['patches']} patches, against "
        f"{100 * attribution['area_share']:.1f} % of the area."
    )


# By name: the file that a fact is read from, and how.
FACTS: dict[str, tuple[str, Callable]] = {
    "counts": ("cleaning", _counts),
    "rejected": ("cleaning", _rejected),
    "quality": ("cleaning", _quality),
    "excluded": ("flow", _excluded),
    "sides": ("flow", _sides),
    "slides": ("audit", _slides),
    "leakage": ("audit", _leakage),
    "giveaways": ("giveaways", _giveaways),
    "label_errors": ("suspect_labels", _label_errors),
    "input": ("run", _input),
    "architecture": ("run", _architecture),
    "training": ("run", _training),
    "balance": ("run", _balance),
    "software": ("run", _software),
    "choice": ("best", _choice),
    "weights": ("best", _weights),
    "studies": ("runs", _studies),
    "networks": ("metrics", _networks),
    "measured": ("metrics", _measured),
    "note": ("metrics", _note),
    "performance": ("metrics", _performance),
    "measures": ("metrics", _measures),
    "updating": ("reliability", _updating),
    "thresholds": ("operating_points", _thresholds),
    "rates": ("operating_points", _rates),
    "crossed": ("operating_points", _crossed),
    "heterogeneity": ("auc_by_group", _heterogeneity),
    "attribution": ("attribution", _attribution),
}
