"""What the predictions come to, in a few lines."""

import pandas as pd

from histopatch.statistics.auroc import delong
from histopatch.statistics.operating_points import at_threshold

UNUSUAL = 0.05  # share of patches unlike the training part that deserves a warning; of its own it is 0.01


def is_unusual(made: pd.DataFrame) -> bool:
    """Whether so many patches look unlike what the model was trained on that its user should know."""
    return bool(made.looks_unlike_training.sum() > UNUSUAL * made.reason.isna().sum())


def describe(made: pd.DataFrame, model: dict, point: str, abstain: str) -> list[str]:
    """The summary; made: as `write_predictions` writes it."""
    at, used = model["operating_points"][point], made[made.reason.isna()]
    lines = [
        f"{len(made):,} patches, of which {len(made) - len(used):,} could not be used (column `reason`)."
    ]
    if used.empty:
        return lines
    positive = model["labels"]["1"]
    lines.append(
        f"{int(used.call.sum()):,} of {len(used):,} are called {positive}, at the threshold "
        f"{at['threshold']:.4f} for {at['chosen_for']}, chosen on {at['chosen_on']}."
    )
    if abstain != "0":
        lines.append(
            f"{int(used.abstained.sum()):,} ({100 * used.abstained.mean():.1f} %) are too near to the "
            f"threshold for a confident call (column `abstained`); {100 * float(abstain):.0f} % of the "
            "validation patches were."
        )
    lines.append(describe_unlike(made))
    if "label" in used and used.label.notna().any():
        lines += _against_labels(used[used.label.notna()], at["threshold"])
    return lines


def describe_unlike(made: pd.DataFrame) -> str:
    """How many patches look unlike the training part."""
    unlike, count = int(made.looks_unlike_training.sum()), int(made.reason.isna().sum())
    return (
        f"{unlike:,} of {count:,} patches ({100 * unlike / count:.1f} %) look unlike what the model was "
        "trained on, by stain or sharpness: beyond the 99th percentile of its training patches, of which 1 % "
        "are."
    )


def _against_labels(labelled: pd.DataFrame, threshold: float) -> list[str]:
    labels, probabilities = labelled.label.to_numpy(int), labelled.probability.to_numpy(float)
    text = f"{len(labels):,} patches have a label, {labels.sum():,} of them 1"
    if not 0 < labels.sum() < len(labels):
        return [f"{text}: an AUROC needs both labels."]
    area, low, high = delong(labels, probabilities)
    found = at_threshold(labels, probabilities, threshold, [])
    rates = [
        f"{name} {found[name]:.3f} ({found[f'{name}_low']:.3f}–{found[f'{name}_high']:.3f})"
        for name in ("sensitivity", "specificity")
    ]
    return [
        f"{text}: AUROC {area:.4f} ({low:.4f}–{high:.4f}), {', '.join(rates)}; 95 % intervals for "
        "independent patches, too narrow where several are of one slide."
    ]
