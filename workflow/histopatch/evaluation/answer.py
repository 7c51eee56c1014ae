"""The question of an experiment and its answer, in a few sentences that stand before all others."""

import pandas as pd

from histopatch.evaluation.markdown import code, listed
from histopatch.failures import finished

SHOWN = 5  # names of runs that are listed


def describe_answer(runs: pd.DataFrame, chosen: pd.Series, best: dict, measured: dict) -> list[str]:
    """The question, what was chosen, how good it is with its interval, and how sure the choice is.

    runs: the table of all runs; chosen: the row of the one that the final model is made of; best: the choice
    (best.json); measured: of metrics.json.
    """
    asked = runs[runs.study == chosen.study].folder.nunique()
    count, studies = runs.folder.nunique(), runs.study.nunique()
    of = f" of the study {code(chosen.study)}, of {count:,} in {studies} studies," if studies > 1 else ""
    members = ", ".join(code(member["run"]) for member in best["members"])
    units = measured["units"]
    over = f" over {units['count']} {units['kind']}s" if units else ""
    low, high = measured["auc_low"], measured["auc_high"]
    within = " within folds" if "pooled_auc" in measured else ""
    interval = f"95 % interval {low:.4f}–{high:.4f}, {measured['auc_interval']}{over}"
    which = "how well does 1 configuration" if asked == 1 else f"which of {asked:,} configurations"
    does = (
        "tell positive from negative patches" if asked == 1 else "tells positive from negative patches best"
    )
    return [
        f"Question: {which}{of} {does}, and how sure can we be?",
        "",
        f"Answer: **{members}, with an AUROC of {measured['auc']:.4f}**{within} "
        f"({interval}) on {measured['patches']:,} {measured['on']} ({measured['kind']})"
        f"{_chance(low)}. {_rivals(runs, chosen, best['members'])}",
    ]


def _chance(low: float) -> str:
    return ", which does not exclude guessing (0.5)" if low <= 0.5 else ""


def _rivals(runs: pd.DataFrame, chosen: pd.Series, members: list[dict]) -> str:
    """Whether other runs of the study from which the choice was made may be as good."""
    study = finished(runs[runs.study == chosen.study])
    others = study[~study.folder.isin([member["folder"] for member in members])]
    highest = study.loc[study.final_val_auc.idxmax()]
    if others.empty:
        return "There was no other to choose from."
    if highest.folder in {*others.folder}:
        verdict = (
            "no test compares the two"
            if pd.isna(chosen.tied_with_best)
            else "a paired test cannot tell the two apart"
            if chosen.tied_with_best
            else "the difference is beyond chance"
        )
        return f"The highest validation AUROC of its study is that of {code(highest.run)}; {verdict}."
    alike = others.final_val_auc == chosen.final_val_auc
    tied = others[others.tied_with_best.eq(True) & ~alike]
    if others.tied_with_best.isna().all():
        return f"No test compares it with the other {len(others)} of its study."
    test = paired_tests(study)
    if alike.any() and tied.empty:
        return f"On the validation patches {_names(others[alike])} had the same AUROC."
    if tied.empty:
        worse = others[others.tied_with_best.notna()]
        return f"On the validation patches it was better than {_names(worse)}, beyond chance ({test})."
    return f"That it was better than {_names(tied)} on the validation patches may be chance ({test})."


def paired_tests(study: pd.DataFrame) -> str:
    """What compared the runs of a study, those that were trained to their end."""
    return "paired test" if len(study) == 2 else "paired tests, adjusted for all pairs"


def _names(runs: pd.DataFrame) -> str:
    return listed(runs.run, SHOWN)
