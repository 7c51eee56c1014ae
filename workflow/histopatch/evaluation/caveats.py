"""What a reader must know beside the final model's numbers, said where it applies and nowhere else."""

import itertools

import pandas as pd

from histopatch.data.folds import HELD_OUT
from histopatch.database import database
from histopatch.evaluation.counts import counted
from histopatch.evaluation.markdown import code
from histopatch.failures import finished
from histopatch.files import read_blocks
from histopatch.statistics.selection import ENOUGH as ENOUGH_TO_CORRECT
from histopatch.statistics.selection import ENOUGH_OF_A_CLASS as ENOUGH_OF_A_CLASS_TO_CORRECT

# Below these an interval by slide is hardly more than a guess (docs/statistics.md, Coverage).
ENOUGH, ENOUGH_OF_A_CLASS = 20, 10
# A variance from fewer is off by a factor of two as often as not, and so would be the number of slides.
ENOUGH_TO_EXTRAPOLATE = 5


def describe_choice(runs: pd.DataFrame, own: pd.Series) -> list[str]:
    """Say so if the run that the final model is made of may be at chance, or one of another study was better.

    runs: the table of all runs; own: the row of the chosen one. A run of another study counts if it was
    validated on the same kind of patches and its AUROC lies above the interval of the chosen one.
    """
    runs, sentences = finished(runs), []
    interval = f"{own.val_auc_low:.4f}–{own.val_auc_high:.4f}"
    if own.val_auc_high < 0.5:
        sentences.append(
            "**On its validation patches the chosen run is worse than chance**: AUROC "
            f"{own.final_val_auc:.4f} ({interval}). Are the labels the wrong way round?"
        )
    elif own.val_auc_low <= 0 and own.val_auc_high >= 1:
        sentences.append(
            "**How good the chosen run is on its validation patches cannot be said**: AUROC "
            f"{own.final_val_auc:.4f}, and its interval is {interval} ({own.val_auc_interval})."
        )
    elif own.val_auc_low <= 0.5:
        sentences.append(
            "**On its validation patches the chosen run is not shown to be better than chance**: AUROC "
            f"{own.final_val_auc:.4f}, and its interval, {interval}, does not exclude 0.5."
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


def describe_comparison(choice: pd.Series, halved: bool) -> list[str]:
    """What the comparison of a study is worth; choice: its row, as `choice_table` writes it.

    halved: whether halving stopped some of its runs. Nothing where no slides or patients are known.
    """
    if pd.isna(choice.unit):
        return []
    units, sentences = f"{choice.unit}s", []
    if choice.chosen_from > 1:
        highest = f"The highest of {choice.chosen_from} AUROCs on the same patches tends to be too high"
        sentences.append(
            f"{highest}; with {choice.units:.0f} {units}, {choice.rarer_units:.0f} of them with patches of "
            f"the rarer class, by how much cannot be said: that takes {ENOUGH_TO_CORRECT} {units}, "
            f"{ENOUGH_OF_A_CLASS_TO_CORRECT} with positives and as many with negatives."
            if pd.isna(choice.corrected_val_auc)
            else f"{highest}: corrected for that, by a bootstrap over {units}, {_corrected(choice)}."
        )
    if halved and pd.notna(choice.corrected_val_auc):
        sentences.append("That halving chose on the same patches who goes on is not corrected for.")
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
    count, kind, needed = units["count"], units["kind"], units["for_0.01"]
    rarer = min(("positives", "negatives"), key=lambda label: units[f"with_{label}"])
    having = units[f"with_{rarer}"]
    if count >= ENOUGH and having >= ENOUGH_OF_A_CLASS:
        return []
    which = "" if count == 1 else f", {'all' if having == count else f'{having} of them'} with {rarer}"
    return [
        f"**So few {kind}s can hardly tell models apart**: the {measured['on']} are of "
        f"{counted(count, kind)}{which}, and patches of one {kind} resemble each other. Below {ENOUGH} "
        f"{kind}s, or {ENOUGH_OF_A_CLASS} with positives or with negatives, take the interval as a rough "
        "guide."
        + (f" {_needed(needed, count, f'{kind}s')}" if needed and count >= ENOUGH_TO_EXTRAPOLATE else "")
    ]


def describe_held_out(tables: dict[str, str]) -> list[str]:
    """Say which patches that one split holds out another split uses.

    tables: of the splits that have runs, by name.
    """
    if len(tables) < 2:
        return []
    sentences = []
    with database() as patches:
        for number, path in enumerate(tables.values()):
            patches.load(f"split_{number}", read_blocks(path, ["id", "fold"]))
        for (first, name), (second, other) in itertools.permutations(enumerate(tables), 2):
            held_out, used = patches.row(
                f"""SELECT count(*), count(*) FILTER (other.fold <> ?)
                FROM split_{first} AS own LEFT JOIN split_{second} AS other USING (id) WHERE own.fold = ?""",
                HELD_OUT, HELD_OUT,
            )  # fmt: skip
            if used:
                sentences.append(
                    f"{used:,} of the {held_out:,} patches that {code(name)} holds out train or "
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
    first, several = suspects.iloc[0], len(suspects) > 1
    are, they, above_all = ("are", "They", "above all ") if several else ("is", "It", "")
    wrong = "wrong labels or mistakes" if several else "a wrong label or a mistake"
    return (
        f"Labels: {len(suspects):,} of {judged:,} {are} contradicted with confidence by networks that did "
        f"not train on the patch (confident learning), {above_all}that of {code(first.id)}. {they} may be "
        f"{wrong} of the model; none is removed. See `final/suspect_labels.csv`."
    )
