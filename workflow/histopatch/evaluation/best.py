"""The choice of the run that the final training is made of."""

import pandas as pd

from histopatch.evaluation.run_table import matched
from histopatch.files import read_table, write_json

COLUMN = {"val_auc": "final_val_auc", "val_log_loss": "val_log_loss"}
HIGHER_IS_BETTER = {"val_auc": True, "val_log_loss": False}


def choose_best(study: str, metric: str, select: str, final_runs: dict[str, str], best: str) -> None:
    """Pick the best run of a study's table and say which run the final training of it is.

    Runs that differ in their seed alone are one candidate with the mean of their metric, so that no lucky
    seed is chosen; it stands for itself with the lowest seed. select: `best`, or `cheapest_tied`, which
    takes the candidate that trained fastest of the best one and those of which no run is worse than the
    study's best by the paired test. final_runs: the folder of the final training by the folder of the run
    that won. Of equals, the one that stands first in the table is taken.
    """
    rows = read_table(study)
    rows = rows.assign(tied=rows.tied_with_best.eq(True), candidate=matched(rows, "seed"))
    candidates = rows.groupby("candidate", sort=False).agg(
        value=(COLUMN[metric], "mean"),
        tied=("tied", "all"),
        train_seconds=("train_seconds", "mean"),
        seeds=("seed", "size"),
    )
    ranked = candidates.sort_values("value", ascending=not HIGHER_IS_BETTER[metric], kind="stable")
    if select == "cheapest_tied":
        ranked = pd.concat([ranked[:1], ranked[1:][ranked.tied[1:]]])
        ranked = ranked.sort_values("train_seconds", kind="stable")
    chosen = ranked.iloc[0]
    winner = rows.loc[rows[rows.candidate == chosen.name].seed.idxmin()]
    choice = {
        "run": winner.run,
        "folder": winner.folder,
        "metric": metric,
        "value": float(chosen.value),
        "select": select,
        "seeds": int(chosen.seeds),
        "chosen_from": len(candidates),
        "final_folder": final_runs[winner.folder],
    }
    write_json(choice, best)
