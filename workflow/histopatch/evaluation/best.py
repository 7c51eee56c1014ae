"""Choice of the runs whose configurations are trained again as the final model."""

import logging

import numpy as np
import pandas as pd

from histopatch.errors import InputError
from histopatch.evaluation.run_table import matched_groups
from histopatch.failures import failed, finished
from histopatch.files import read_table, write_json
from histopatch.statistics.metrics import METRICS


def choose_best(
    study: str, metric: str, select: str, members: int, final_runs: dict[str, str], best: str
) -> None:
    """Choose the best runs of a study's table and write which runs their final trainings are (JSON).

    metric: `val_<name>` of one of METRICS. Runs that differ in nothing but their seed are one candidate with
    the mean of their metric, so that no lucky seed is chosen; the run with the lowest seed represents it.
    select: `best`, or `cheapest_tied`, which takes the candidate with the shortest training among the best
    one and those of which no run is worse than the study's best in the paired test; all others rank after
    these. members: how many the final model is made of, the best first; a candidate whose final training is
    that of a better one is passed over. final_runs: the folder of the final training by the folder of the
    chosen run. Equal candidates: the first in the table wins. A candidate of which any run failed is out,
    since the mean of the seeds that are left would flatter it, and so is one that halving stopped. Raises
    InputError when that leaves too few.
    """
    criterion = METRICS[metric.removeprefix("val_")]
    rows = read_table(study)
    rows = rows.assign(tied=rows.tied_with_best.eq(True), candidate=matched_groups(rows, "seed"))
    rows = rows[~rows.candidate.isin(rows.candidate[failed(rows)])]
    chosen_from, rows = rows.candidate.nunique(), finished(rows)
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
        tied = ranked.tied | (np.arange(len(ranked)) == 0)
        ranked = pd.concat([ranked[tied].sort_values("train_seconds", kind="stable"), ranked[~tied]])
    chosen: dict[str, dict] = {}
    for candidate in ranked.itertuples():
        winner = rows.loc[rows[rows.candidate == candidate.Index].seed.idxmin()]
        member = {"run": winner.run, "folder": winner.folder, "value": float(candidate.value)}
        member |= {"seeds": int(candidate.seeds), "final_folder": final_runs[winner.folder]}
        better = chosen.setdefault(member["final_folder"], member)
        if better is not member:
            logging.info("%s would be trained again as the same run as %s", member["run"], better["run"])
        if len(chosen) == members:
            break
    else:
        raise InputError(
            f"{study}: final.ensemble asks for {members} runs, but those that did not fail come to "
            f"{len(chosen)} final trainings; lower it"
        )
    first, *_ = ranked_members = [*chosen.values()]
    choice = {"metric": metric, "select": select, "chosen_from": chosen_from}
    write_json(first | choice | {"members": ranked_members}, best)
