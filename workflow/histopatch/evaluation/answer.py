"""The question of an experiment and its answer, in a few sentences that stand before all others."""

import pandas as pd

from histopatch.evaluation.counts import counted
from histopatch.evaluation.markdown import code, listed
from histopatch.evaluation.run_table import matched_groups
from histopatch.failures import finished, stopped

SHOWN = 5  # names of runs that are listed


def describe_answer(runs: pd.DataFrame, chosen: pd.Series, best: dict, measured: dict) -> list[str]:
    """The question, what was chosen, how good it is with its interval, and how sure the choice is.

    runs: the table of all runs; chosen: the row of the one that the final model is made of; best: the choice
    (best.json); measured: of metrics.json.
    """
    asked, count = _configurations(runs[runs.study == chosen.study]), _configurations(runs)
    studies = runs.study.nunique()
    of = f" of the study {code(chosen.study)}, of {count:,} in {studies} studies," if studies > 1 else ""
    members = ", ".join(code(member["run"]) for member in best["members"])
    units = measured["units"]
    over = f" over {counted(units['count'], units['kind'])}" if units else ""
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
        f"{_chance(low, high)}. {_rivals(runs, chosen, best['members'])}",
    ]


def _configurations(runs: pd.DataFrame) -> int:
    """How many there are: runs that differ in their seed only are one."""
    return matched_groups(runs, "seed").nunique()


def _chance(low: float, high: float) -> str:
    if high < 0.5:
        return ", which is worse than guessing (0.5): are the labels the wrong way round?"
    return ", which does not exclude guessing (0.5)" if low <= 0.5 else ""


def _rivals(runs: pd.DataFrame, chosen: pd.Series, members: list[dict]) -> str:
    """Whether other runs of the study from which the choice was made may be as good."""
    began = runs[runs.study == chosen.study]
    study = finished(began)
    candidates = matched_groups(study, "seed")
    of_members = study.folder.isin([member["folder"] for member in members])
    others = study[~candidates.isin(candidates[of_members])]
    if others.empty:
        return (
            "Halving stopped all others, so no test compares them with it."
            if stopped(began).any()
            else "There was no other to choose from."
        )
    alike = (others.final_val_auc == chosen.final_val_auc) & (others.validated_on == chosen.validated_on)
    sentences = []
    if alike.any():
        have = "has" if alike.sum() == 1 else "have"
        sentences.append(f"{_names(others[alike])} {have} the same AUROC on the validation patches.")
    if not alike.all():
        sentences.append(_compared(study, others[~alike], chosen))
    return " ".join(sentences)


def _compared(study: pd.DataFrame, others: pd.DataFrame, chosen: pd.Series) -> str:
    """What the tests say of the chosen run and the others of its study, none of which has its AUROC."""
    highest = others.loc[others.final_val_auc.idxmax()]
    if highest.final_val_auc > study.final_val_auc.drop(others.index).max():
        verdict = (
            "no test compares the two"
            if pd.isna(chosen.tied_with_best)
            else "a paired test cannot tell the two apart"
            if chosen.tied_with_best
            else "the difference is beyond chance"
        )
        return f"The highest validation AUROC of its study is that of {code(highest.run)}; {verdict}."
    tied, untested = others[others.tied_with_best.eq(True)], others.tied_with_best.isna()
    if untested.all():
        which = "other run" if len(others) == 1 else f"other {len(others)}"
        return f"No test compares it with the {which} of its study."
    test = paired_tests(study)
    if tied.empty:
        worse = _names(others[~untested])
        return f"On the validation patches it was better than {worse}, beyond chance ({test})."
    return f"That it was better than {_names(tied)} on the validation patches may be chance ({test})."


def paired_tests(study: pd.DataFrame) -> str:
    """What compared the runs of a study, those that were trained to their end."""
    return "paired test" if len(study) == 2 else "paired tests, adjusted for all pairs"


def _names(runs: pd.DataFrame) -> str:
    return listed(runs.run, SHOWN)
