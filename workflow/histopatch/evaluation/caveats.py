"""What a reader must know beside the final model's numbers, said where it applies and nowhere else."""

import pandas as pd

from histopatch.data.folds import HELD_OUT
from histopatch.evaluation.markdown import code
from histopatch.failures import finished
from histopatch.files import read_table
from histopatch.statistics.selection import ENOUGH as ENOUGH_TO_CORRECT
from histopatch.statistics.selection import ENOUGH_OF_A_CLASS

# Below these an interval by slide is hardly more than a guess (docs/statistics.md, Coverage).
ENOUGH, ENOUGH_WITH_POSITIVES = 20, 10
# A variance from fewer is off by a factor of two as often as not, and so would be the number of slides.
ENOUGH_TO_EXTRAPOLATE = 5


def describe_choice(runs: pd.DataFrame, own: pd.Series) -> list[str]:
    """Say so if the run that the final model is made of is at chance, or one of another study was better.

    runs: the table of all runs; own: the row of the chosen one. A run of another study counts if it was
    validated on the same kind of patches and its AUROC lies above the interval of the chosen one.
    """
    runs, sentences = finished(runs), []
    if own.val_auc_low <= 0.5:
        sentences.append(
            f"**On its validation patches the chosen run is no better than chance**: AUROC "
            f"{own.final_val_auc:.4f}, and its interval, {own.val_auc_low:.4f}–{own.val_auc_high:.4f}, does "
            "not exclude 0.5."
        )
    others = runs[(runs.study != own.study) & (runs.validated_on == own.validated_on)]
    better = others[others.final_val_auc > own.val_auc_high]
    if len(better):
        other = better.loc[better.final_val_auc.idxmax()]
        sentences.append(
            f"**A run of another study scored higher**: {code(other.run)} of {code(other.study)} has an "
            f"AUROC of {other.final_val_auc:.4f} on its validation patches, the chosen run "
            f"{own.final_val_auc:.4f}. The final model comes from {code(own.study)} because `final.study` "
            "names it."
        )
    return sentences


def describe_selection_score(best: dict, epochs: int, retrained_with: dict) -> str:
    """What the run was chosen by, and that the final model is trained otherwise.

    best: the choice (best.json); epochs: of the chosen run; retrained_with: the settings that differ.
    """
    after = f"{epochs:.0f} epoch{'' if epochs == 1 else 's'}"
    score = f"It was chosen for a `{best['metric']}` of {best['value']:.4f}, after {after}"
    changed = ", ".join(f"`{key}: {value}`" for key, value in retrained_with.items())
    if not changed:
        return f"{score}."
    return f"{score}; the final model is trained otherwise ({changed}), so this is not its score."


def describe_comparison(choice: pd.Series) -> list[str]:
    """What the comparison of a study is worth; choice: its row, as `choice_table` writes it.

    Nothing where no slides or patients are known.
    """
    if pd.isna(choice.unit):
        return []
    units, sentences = f"{choice.unit}s", []
    if choice.chosen_from > 1:
        highest = f"The highest of {choice.chosen_from} AUROCs on the same patches tends to be too high"
        sentences.append(
            f"{highest}; with {choice.units:.0f} {units}, {choice.rarer_units:.0f} of them with patches of "
            f"the rarer class, by how much cannot be said: that takes {ENOUGH_TO_CORRECT} {units}, "
            f"{ENOUGH_OF_A_CLASS} with positives and {ENOUGH_OF_A_CLASS} with negatives."
            if pd.isna(choice.corrected_val_auc)
            else f"{highest}: corrected for that, by a bootstrap over {units}, {_corrected(choice)}."
        )
    if choice.units >= ENOUGH_TO_EXTRAPOLATE and pd.notna(choice["units_for_0.01"]):
        sentences.append(_needed(choice["units_for_0.01"], choice.units, units))
    if pd.notna(choice.detectable_difference):
        sentences.append(
            f"A true difference of {choice.detectable_difference:.3f} between two runs would have been found "
            "with a probability of 80 %, a smaller one less often."
        )
    return sentences


def _corrected(choice: pd.Series) -> str:
    before, after = (f"{choice[name]:.4f}" for name in ("val_auc", "corrected_val_auc"))
    return f"{before} {'stays' if before == after else 'becomes'} {after}"


def _needed(needed: float, count: float, units: str) -> str:
    """How many slides or patients would do, in two digits, as it is an extrapolation from those there are."""
    rough = f", a rough guess from only {count:.0f} {units}" if count < ENOUGH else ""
    return (
        f"About {float(f'{needed:.2g}'):,.0f} {units} like these would give the AUROC an interval of ±0.01"
        f"{rough}."
    )


def describe_precision(measured: dict) -> list[str]:
    """Say in words if the slides or patients behind an interval are too few, and how many would do.

    measured: of metrics.json, with `units` as `Predictions.describe_units` returns them.
    """
    units = measured["units"]
    if units is None:
        return []
    count, positive, kind = units["count"], units["with_positives"], units["kind"]
    needed = units["for_0.01"]
    if count >= ENOUGH and positive >= ENOUGH_WITH_POSITIVES:
        return []
    with_positives = "all" if positive == count else f"{positive} of them"
    return [
        f"**So few {kind}s can hardly tell models apart**: the {measured['on']} are of {count} {kind}s, "
        f"{with_positives} with positives, and patches of one {kind} resemble each other. Below {ENOUGH} "
        f"{kind}s, or {ENOUGH_WITH_POSITIVES} with positives, take the interval as a rough guide."
        + (f" {_needed(needed, count, f'{kind}s')}" if needed and count >= ENOUGH_TO_EXTRAPOLATE else "")
    ]


def describe_held_out(tables: dict[str, str]) -> list[str]:
    """Say which patches that one split holds out another split uses.

    tables: of the splits that have runs, by name.
    """
    splits = {name: read_table(path)[["id", "fold"]] for name, path in tables.items()}
    used = {name: {*table.id[table.fold != HELD_OUT]} for name, table in splits.items()}
    sentences = []
    for name, table in splits.items():
        held_out = {*table.id[table.fold == HELD_OUT]}
        for other in splits:
            if count := len(held_out & used[other]):
                sentences.append(
                    f"{count:,} of the {len(held_out):,} patches that {code(name)} holds out train or "
                    f"validate runs on {code(other)}: a choice by those runs is not independent of them."
                )
    return sentences


def describe_label_errors(suspects: pd.DataFrame, judged: int) -> str:
    """How many labels are suspect of those that were judged."""
    if suspects.empty:
        return (
            f"Labels: of the {judged:,} patches that validate or are held out, none has a label that "
            "networks which did not train on it contradict with confidence."
        )
    first = suspects.iloc[0]
    return (
        f"Labels: {len(suspects):,} of {judged:,} are contradicted with confidence by networks that did not "
        f"train on them (confident learning), above all that of {code(first.id)}. They may be wrong labels "
        "or mistakes of the model; none is removed. See `final/suspect_labels.csv`."
    )
