"""The experiment in words: what was compared, what came out, and how good the final model is."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from histopatch.evaluation.measured_on import describe_split
from histopatch.evaluation.run_table import POINTS
from histopatch.files import read_table, replacing


def write_summary(
    experiment: str,
    splits: dict[str, dict],
    cleaning: str,
    verdicts: Sequence[str],
    tables: dict[str, str],
    final: dict[str, str],
    summary: str,
) -> None:
    """Write summary.md.

    splits: the splits of the experiment as configured, by name; cleaning: the summary of cleaning (JSON);
    verdicts: what the audits say, a line each; tables: those of `runs`, `effects` and `seeds`; final: the
    files `best`, `metrics` (JSON) and `operating_points` of the final model.
    """
    rows, changes, seeds = (read_table(tables[name]) for name in ("runs", "effects", "seeds"))
    lines = [f"# {experiment}", "", *_data(json.loads(Path(cleaning).read_text())), ""]
    lines += ["## Splits", ""]
    lines += [f"- {describe_split(name, rules)}" for name, rules in splits.items()]
    lines += ["", "Leakage audit:", "", *(f"- {Path(path).read_text().strip()}" for path in verdicts), ""]
    if (rows.val_auc_interval == "DeLong").any():
        lines += [
            "Intervals and tests marked DeLong take patches as independent, which patches of one slide are "
            "not: read them as the least uncertainty that there can be.",
            "",
        ]
    for study, group in rows.groupby("study", sort=False):
        lines += [f"## Study `{study}`", "", *_study(group), ""]
        for found in (_seeds(seeds[seeds.study == study]), _effects(changes[changes.study == study])):
            lines += [*found, ""] if found else []
    best, metrics = (json.loads(Path(final[name]).read_text()) for name in ("best", "metrics"))
    lines += ["## Final model", "", *_final(best, metrics), ""]
    lines += _operating_points(read_table(final["operating_points"]))
    with replacing(summary) as temporary:
        temporary.write_text("\n".join(lines).rstrip() + "\n")


def _data(cleaning: dict) -> list[str]:
    before, after = cleaning["before"], cleaning["after"]
    share = after["positive"] / after["patches"]
    line = (
        f"{after['patches']:,} labelled patches, {share:.1%} positive, "
        f"from {before['label_rows']:,} label rows and {before['images']:,} images."
    )
    reasons = [f"{count} for {reason}" for reason, count in cleaning["rejected"].items()]
    rejected = f"Rejected: {', '.join(reasons)}." if reasons else "Nothing was rejected."
    return [line, rejected]


def _study(group: pd.DataFrame) -> list[str]:
    """A table of the runs, highest first, and which of them cannot be told from it."""
    ranked = group.sort_values("final_val_auc", ascending=False, kind="stable")
    best = ranked.iloc[0]
    lines = [
        "| run | validation AUROC | 95 % interval | over folds | measured on |",
        "| --- | --: | --- | --- | --- |",
        *(_row(run) for run in ranked.itertuples()),
        "",
        f"Highest of {len(ranked)}: `{best.run}` after {_count(best.epochs, 'epoch')}.",
    ]
    if ranked.validated_on.nunique() > 1:
        lines.append(
            "They are measured on different kinds of patches: a higher figure on easier ones is no better "
            "model."
        )
    others = ranked[1:]
    for verdict, words in (
        (True, "No evidence that these are lower (paired test, Holm)"),
        (False, "Lower (paired test, Holm)"),
        (None, "Validated on other patches, so not tested against it"),
    ):
        found = others[others.tied_with_best.isna() if verdict is None else others.tied_with_best == verdict]
        if len(found):
            lines.append(f"{words}: {', '.join(f'`{name}`' for name in found.run)}.")
    return lines


def _row(run) -> str:
    folds = f"{run.fold_auc_mean:.4f} ± {run.fold_auc_sd:.4f} ({run.folds})" if run.folds > 1 else ""
    slides = "" if pd.isna(run.val_slides) else f", {_count(int(run.val_slides), 'slide')}"
    interval = f"{run.val_auc_low:.4f}–{run.val_auc_high:.4f} ({run.val_auc_interval}{slides})"
    return f"| `{run.run}` | {run.final_val_auc:.4f} | {interval} | {folds} | {run.validated_on} |"


def _seeds(seeds: pd.DataFrame) -> list[str]:
    return [
        f"- `{row.run}` with {row.seeds} seeds: AUROC {row.mean_val_auc:.4f} ± {row.sd_val_auc:.4f} "
        f"(mean ± standard deviation), from {row.lowest_val_auc:.4f} to {row.highest_val_auc:.4f}."
        for row in seeds.itertuples()
    ]


def _effects(changes: pd.DataFrame) -> list[str]:
    """The best value of each setting against the other ones."""
    lines = []
    for setting, group in changes.groupby("setting", sort=False):
        best = group.loc[group.difference.idxmax()]
        others = ", ".join(str(value) for value in group.value if value != best.value)
        verdict = "" if best.verdict == "higher" else f" {best.verdict[0].upper()}{best.verdict[1:]}."
        interval = ""
        if pd.notna(best.difference_low):
            interval = f" (95 % interval {best.difference_low:+.4f} to {best.difference_high:+.4f})"
        lines.append(
            f"- `{setting}`: {best.value} scored {best.difference:+.4f} AUROC{interval} against {others}, "
            f"all else equal (mean over {_count(best.runs, 'run')}).{verdict}"
        )
    return lines


def _final(best: dict, metrics: dict) -> list[str]:
    measured, seeds = metrics["measured"], best["seeds"]
    chosen = f"`{best['run']}`, chosen among {best['chosen_from']} by `{best['metric']}`"
    if seeds > 1:
        chosen += f" (mean over {seeds} seeds)"
    if best["select"] == "cheapest_tied":
        chosen += ", the cheapest of those tied with the best"
    lines = [
        f"{chosen}; trained again as `{metrics['final_folder']}`.",
        f"On the {measured['patches']:,} {measured['on']} ({measured['kind']}): AUROC "
        f"{measured['auc']:.4f} (95 % interval {measured['auc_low']:.4f}–{measured['auc_high']:.4f}, "
        f"{measured['auc_interval']}), average precision {measured['average_precision']:.4f}, "
        f"Brier score {measured['brier']:.4f}, calibration error {measured['ece']:.4f}.",
        metrics["note"],
    ]
    return lines


def _operating_points(points: pd.DataFrame) -> list[str]:
    first = points.iloc[0]
    prevalences = [column.removeprefix("ppv_at_") for column in points if column.startswith("ppv_at_")]
    heads = ["chosen for", "threshold", "sensitivity", "specificity", "PPV", "NPV"]
    heads += [f"PPV at {float(prevalence):.0%}" for prevalence in prevalences]
    lines = [
        f"Operating points, chosen on {first.chosen_on} and reported on {first.reported_on}; PPV also where "
        "another share of the patches is positive:",
        "",
        f"| {' | '.join(heads)} |",
        f"| {' | '.join('---' for _ in heads)} |",
    ]
    for row in points.to_dict("records"):
        shares = [_share(row, name) for name in ("sensitivity", "specificity", "ppv", "npv")]
        elsewhere = [_value(row[f"ppv_at_{prevalence}"]) for prevalence in prevalences]
        cells = [POINTS[row["point"]], f"{row['threshold']:.4f}", *shares, *elsewhere]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _share(row: dict, name: str) -> str:
    return f"{_value(row[name])} ({row[f'{name}_low']:.3f}–{row[f'{name}_high']:.3f})"


def _value(value: float | None) -> str:
    return "–" if pd.isna(value) else f"{value:.3f}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun if number == 1 else noun + 's'}"
