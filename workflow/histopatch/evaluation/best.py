"""Choice of the run whose configuration is trained again as the final model."""

import pandas as pd

from histopatch.errors import InputError
from histopatch.evaluation.run_table import matched_groups
from histopatch.failures import failed
from histopatch.files import read_table, write_json
from histopatch.statistics.metrics import METRICS


def choose_best(study: str, metric: str, select: str, final_runs: dict[str, str], best: str) -> None:
    """Choose the best run of a study's table and write which run its final training is (JSON).

    metric: `val_<name>` of one of METRICS. Runs that differ in nothing but their seed are one candidate with
    the mean of their metric, so that no lucky seed is chosen; the run with the lowest seed represents it.
    select: `best`, or `cheapest_tied`, which takes the candidate with the shortest training among the best
    one and those of which no run is worse than the study's best in the paired test. final_runs: the folder
    of the final training by the folder of the chosen run. Equal candidates: the first in the table wins.
    A candidate of which any run failed is out, since the mean of the seeds that are left would flatter it.
    Raises InputError when that leaves none.
    """
    criterion = METRICS[metric.removeprefix("val_")]
    rows = read_table(study)
    rows = rows.assign(tied=rows.tied_with_best.eq(True), candidate=matched_groups(rows, "seed"))
    rows = rows[~rows.candidate.isin(rows.candidate[failed(rows)])]
    if rows.empty:
        raise InputError(f"{study}: every configuration has a run that failed, so there is none to choose")
    candidates = rows.groupby("candidate", sort=False).agg(
        value=(criterion.column, "mean"),
        tied=("tied", "all"),
        train_seconds=("train_seconds", "mean"),
        seeds=("seed", "size"),
    )
    ranked = candidates.sort_values("value", ascending=not criterion.higher_is_better, kind="stable")
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
