"""The experiment in words: what was compared, the results, and how good the final model is."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from histopatch.data.giveaways import warnings_of
from histopatch.evaluation import caveats, clinical_use, group_words
from histopatch.evaluation.answer import describe_answer, paired_tests
from histopatch.evaluation.cost import describe_cost
from histopatch.evaluation.counts import counted
from histopatch.evaluation.external_words import describe_external
from histopatch.evaluation.intervals import rate
from histopatch.evaluation.limits import SYNTHETIC, describe_limits
from histopatch.evaluation.markdown import code, escape, listed
from histopatch.evaluation.split_descriptions import describe_split
from histopatch.failures import failed, finished, stopped
from histopatch.files import read_table, replacing
from histopatch.interpretability.description import describe_attribution
from histopatch.settings import Split
from histopatch.statistics.metrics import METRICS
from histopatch.statistics.operating_points import CRITERIA

MOST = 50  # runs of a study that are named; its table has them all
# What the networks of an ensemble are averaged as.
AVERAGES = {"probability": "probabilities", "logit": "logits", "rank": "ranks"}


def write_summary(
    experiment: str,
    splits: dict[str, Split],
    cleaning: str,
    verdicts: Sequence[str],
    test_ids: str | None,
    tables: dict[str, str],
    split_tables: dict[str, str],
    final: dict[str, str],
    final_study: str,
    retrained_with: dict,
    summary: str,
    external: Sequence[str] = (),
) -> None:
    """Write summary.md.

    splits: the splits of the experiment by name; cleaning: the summary of cleaning (JSON); verdicts: files
    with one line each, the results of the leakage audits; test_ids: CSV `id,image`, or None where nothing is
    to be predicted; tables: those of `giveaways`, `runs`, `effects`, `seeds` and `choice`; split_tables: the
    table of each split; final: the files `best`, `metrics`, `attribution` (JSON), `operating_points`,
    `decision_curve`, `abstaining`, `subgroups`, `heterogeneity` and `suspect_labels` of the final model;
    final_study: that it was chosen from; retrained_with: the settings in which its training differs from the
    chosen run's; external: the two tables of `external_tables`, where there are external data sets.
    """
    runs, effects, seeds, choices = (
        read_table(tables[name]) for name in ("runs", "effects", "seeds", "choice")
    )
    best, metrics = (json.loads(Path(final[name]).read_text()) for name in ("best", "metrics"))
    chosen = runs[(runs.study == final_study) & (runs.run == best["run"])].iloc[0]
    cleaned = json.loads(Path(cleaning).read_text())
    lines = [f"# {experiment}", "", *([f"**{SYNTHETIC}**", ""] if cleaned["synthetic"] else [])]
    lines += [*describe_answer(runs, chosen, best, metrics["measured"]), ""]
    lines += ["## Data", "", *_data(cleaned), ""]
    for sentence in warnings_of(read_table(tables["giveaways"])):
        lines += [f"**{escape(sentence)}**", ""]
    lines += _without_image(read_table(test_ids)) if test_ids else []
    lines += ["## Splits", ""]
    lines += [f"- {describe_split(name, split)}" for name, split in splits.items()]
    with_runs = {name: path for name, path in split_tables.items() if name in {*runs.split}}
    lines += [f"- {sentence}" for sentence in caveats.describe_held_out(with_runs)]
    lines += ["", "Leakage audit:", "", *(f"- {escape(Path(path).read_text())}" for path in verdicts), ""]
    for study, group in runs.groupby("study", sort=False):
        repeats = seeds[seeds.study == study]
        lines += [f"## Study `{study}`", "", *_study(group, runs), ""]
        choice = choices[choices.study == study].iloc[0]
        lines += [*caveats.describe_comparison(choice, stopped(group).any()), ""]
        bullets = [*_seeds(repeats.head(MOST)), *_effects(effects[effects.study == study], repeats)]
        if bullets:
            lines += [f"### What helped and what did not in `{study}`", "", *bullets, ""]
    choice, *measured = _final(best, metrics)
    lines += ["## Final model", "", choice]
    lines += [caveats.describe_selection_score(best, chosen.epochs, retrained_with)]
    lines += [*caveats.describe_choice(runs, chosen), *measured, ""]
    suspects = read_table(final["suspect_labels"])
    lines += ["### Suspicious labels", "", caveats.describe_label_errors(suspects, _judged(metrics)), ""]
    lines += ["### Operating points", ""]
    points, held_out = read_table(final["operating_points"]), metrics["measured"]["held_out"]
    lines += [*_operating_points(points, best["chosen_from"], held_out), ""]
    curve = read_table(final["decision_curve"])
    if len(curve):  # mean ranks are no probabilities, and have none
        lines += ["### Calibration", "", clinical_use.describe_calibration(metrics["measured"]), ""]
        lines += ["### Net benefit", "", clinical_use.describe_net_benefit(curve), ""]
        lines += [
            "### Abstaining",
            "",
            *clinical_use.describe_abstaining(read_table(final["abstaining"])),
            "",
        ]
    groups, tests = (read_table(final[name]) for name in ("subgroups", "heterogeneity"))
    lines += ["### Subgroups", "", *group_words.describe_subgroups(groups, tests), ""]
    if external:
        measured_there = describe_external(*map(read_table, external))
        lines += ["### External data", "", *measured_there, ""]
    lines += [
        "### Where it looks",
        "",
        *describe_attribution(json.loads(Path(final["attribution"]).read_text())),
        "",
        "## Cost",
        "",
        describe_cost(runs),
        "",
        "## Limits",
        "",
        *(f"- {limit}" for limit in describe_limits(runs, seeds, bool(external))),
    ]
    with replacing(summary) as temporary:
        temporary.write_text("\n".join(lines).rstrip() + "\n")


def _data(cleaning: dict) -> list[str]:
    before, after = cleaning["before"], cleaning["after"]
    share = after["positive"] / after["patches"]
    line = (
        f"{after['patches']:,} labelled patches, {100 * share:.1f} % positive, "
        f"from {before['label_rows']:,} label rows and {before['images']:,} images."
    )
    reasons = [f"{reason} ({count:,})" for reason, count in cleaning["rejected"].items()]
    rejected = f"Rejected rows and images: {', '.join(reasons)}." if reasons else "Nothing was rejected."
    blank, examples = cleaning["near_blank"]["used"], cleaning["near_blank"]["examples"]
    if not blank:
        return [line, rejected]
    be = "is" if blank == 1 else "are"
    such_as = ("such as " if blank > len(examples) else "") + ", ".join(map(escape, examples))
    return [line, rejected, f"{blank:,} of the patches used {be} near blank: {such_as}."]


def _without_image(test_ids: pd.DataFrame) -> list[str]:
    """Which test ids the submission has a stated probability for."""
    missing = test_ids[test_ids.image.isna()]
    if missing.empty:
        return []
    return [
        f"{len(missing):,} of {len(test_ids):,} test ids have no usable image, such as "
        f"{escape(missing.id.iloc[0])}; the submission has the value of `final.unusable_images` for them.",
        "",
    ]


def _study(group: pd.DataFrame, runs: pd.DataFrame) -> list[str]:
    """A table of the runs, best first, and which of the others the test cannot distinguish from the best.

    runs: the table of all runs, of which some may be those of the study under other names.
    """
    ranked = finished(group).sort_values("final_val_auc", ascending=False, kind="stable")
    best = ranked.iloc[0]
    lines = [
        "| run | AUROC | 95 % interval | folds | pooled AUROC | validated on |",
        "| --- | --: | --- | --- | --- | --- |",
        *(_row(run) for run in ranked.head(MOST).itertuples()),
        "",
        f"Highest of {len(ranked)}: {code(best.run)} after {counted(best.epochs, 'epoch')}.",
    ]
    if len(ranked) > MOST:
        lines.append(f"Above are the {MOST} best; {code(f'tables/{best.study}.csv')} has all.")
    if ranked.validated_on.nunique() > 1:
        lines.append(
            "The runs are validated in different ways: a higher AUROC on an easier split does not mean a "
            "better model."
        )
    others = ranked[1:]
    elsewhere = (others.validated_on != best.validated_on) | (others.split != best.split)
    alike = (others.final_val_auc == best.final_val_auc) & ~elsewhere
    untested = others.tied_with_best.isna() & ~alike
    for words, which in (
        ("With the same AUROC", alike),
        (f"Lower, perhaps by chance ({paired_tests(ranked)})",
         others.tied_with_best.eq(True) & ~alike),
        (f"Lower ({paired_tests(ranked)})", others.tied_with_best.eq(False)),
        ("Not tested against it, as they were validated on other patches", untested & elsewhere),
        ("Not tested against it, as too few slides or patches are of one class, or there is no spread",
         untested & ~elsewhere),
    ):  # fmt: skip
        if which.any():
            lines.append(f"{words}: {listed(others.run[which].tolist(), MOST)}.")
    for run in ranked.head(MOST).itertuples():
        same = runs[(runs.folder == run.folder) & (runs.study != run.study)]
        if len(same):
            names = ", ".join(
                f"{code(name)} of `{study}`" for study, name in zip(same.study, same.run, strict=True)
            )
            lines.append(f"{code(run.run)} is the same run as {names}: it was trained once.")
    for (after, epochs), these in _by(["stopped_after", "epochs"], group[stopped(group)]):
        lines.append(
            f"Stopped by halving after {counted(after, 'epoch')} of {epochs}, and compared with the runs "
            f"of that rung only: {listed(these.run.tolist(), MOST)}."
        )
    for (reason,), these in _by(["failed"], group[failed(group)]):
        lines.append(f"Failed, and not compared: {listed(these.run.tolist(), MOST)} ({escape(reason)}).")
    return lines


def _by(columns: list[str], runs: pd.DataFrame) -> Iterable[tuple[tuple, pd.DataFrame]]:
    """Runs by why they have no result; a table has the columns only where it has such runs."""
    return runs.groupby(columns, sort=False) if len(runs) else ()


def _row(run) -> str:
    folds, pooled = "–", "–"
    if run.folds > 1:
        folds, pooled = f"mean of {run.folds}, SD {run.fold_auc_sd:.4f}", f"{run.pooled_val_auc:.4f}"
    interval = f"{run.val_auc_low:.4f}–{run.val_auc_high:.4f} ({run.val_auc_interval}{_units(run)})"
    cells = [code(run.run), f"{run.final_val_auc:.4f}", interval, folds, pooled, run.validated_on]
    return f"| {' | '.join(cells)} |"


def _units(run) -> str:
    """How many slides or patients an interval is over, and how many patches have none."""
    by_patient = not pd.isna(run.val_patients)
    unit, count = ("patient", run.val_patients) if by_patient else ("slide", run.val_slides)
    if pd.isna(count):
        return ""
    without = f" and {counted(run.val_unmapped, 'patch', 'patches')} without one" if run.val_unmapped else ""
    return f", {counted(count, unit)}{without}"


def _seeds(seeds: pd.DataFrame) -> list[str]:
    return [
        f"- {code(row.run)} with {row.seeds} seeds: AUROC {row.mean_val_auc:.4f} ± {row.sd_val_auc:.4f} "
        f"(mean ± standard deviation), from {row.lowest_val_auc:.4f} to {row.highest_val_auc:.4f}."
        for row in seeds.itertuples()
    ]


def _effects(effects: pd.DataFrame, seeds: pd.DataFrame) -> list[str]:
    """The best value of each setting compared with its other values, and what the intervals leave out."""
    lines = []
    for setting, group in effects.groupby("setting", sort=False):
        best = group.loc[group.difference.idxmax()]
        others = ", ".join(escape(str(value)) for value in group.value if value != best.value)
        verdict = "" if best.verdict == "higher" else f" {best.verdict[0].upper()}{best.verdict[1:]}."
        interval, mean = "", f" (mean over {best.runs} runs)" if best.runs > 1 else ""
        if pd.notna(best.difference_low):
            interval = f" (95 % interval {best.difference_low:+.4f} to {best.difference_high:+.4f}"
            if pd.notna(best.low_with_seeds):
                interval += f"; with other seeds {best.low_with_seeds:+.4f} to {best.high_with_seeds:+.4f}"
                if best.verdict == "higher" and best.low_with_seeds <= 0:
                    verdict = " It may be due to the seed."
            interval += ")"
        lines.append(
            f"- `{setting}`: {escape(str(best.value))} changed the AUROC by {best.difference:+.4f}{interval} "
            f"compared with {others}, all else equal{mean}.{verdict}"
        )
    if effects.difference_low.notna().any() and seeds.empty:
        lines.append(
            "- These intervals say how much other patches would change a value, not how much another "
            "training would: its seed alone changes each of them, by how much is not known here. "
            "`repeats: 3` in the study measures it and widens the intervals."
        )
    return lines


def _final(best: dict, metrics: dict) -> list[str]:
    measured, seeds = metrics["measured"], best["seeds"]
    members = best["members"]
    names = ", ".join(code(member["run"]) for member in members)
    chosen = f"{names}, chosen among {best['chosen_from']} by `{best['metric']}`"
    if seeds > 1:
        chosen += f" (mean over {seeds} seeds)"
    if best["select"] == "cheapest_tied":
        chosen += ", the fastest to train of those tied with the best"
    folders = ", ".join(code(member["final_folder"]) for member in members)
    again = any(member["final_folder"] != member["folder"] for member in members)
    trained = "trained again as" if again else "the final model is what was trained there,"
    values = {name: f"{metric.label} {measured[name]:.4f}" for name, metric in METRICS.items()}
    units = measured["units"]
    over = f" over {counted(units['count'], units['kind'])}" if units else ""
    within = " within folds" if "pooled_auc" in measured else ""
    values["auc"] += (
        f"{within} (95 % interval {measured['auc_low']:.4f}–{measured['auc_high']:.4f}, "
        f"{measured['auc_interval']}{over})"
    )
    if within:
        values["auc"] += f", {measured['pooled_auc']:.4f} pooled"
    return [
        f"{chosen}; {trained} {folders}.",
        f"On the {measured['patches']:,} {measured['on']} ({measured['kind']}): "
        f"{', '.join(values.values())}.",
        *caveats.describe_precision(measured),
        *_ensemble(metrics),
        metrics["note"],
    ]


def _judged(metrics: dict) -> int:
    """How many patches have predictions of networks that did not train on them."""
    measured = metrics["measured"]
    return metrics["val_patches"] + (measured["patches"] if measured["held_out"] else 0)


def _ensemble(metrics: dict) -> list[str]:
    """What several members together gain over the best of them."""
    if "ensemble" not in metrics:
        return []
    ensemble = metrics["ensemble"]
    gain, best = ensemble["gain"], ensemble["members"][0]
    low, high = gain["auc_difference_low"], gain["auc_difference_high"]
    certain = f"95 % interval {low:+.4f} to {high:+.4f}, paired {gain['test']}"
    if high - low >= 2:  # all that is possible
        certain = "how certain that is cannot be said"
    return [
        f"The final model is an ensemble of {len(ensemble['members'])} runs, the mean of their "
        f"{AVERAGES[ensemble['average']]}: AUROC {gain['auc_difference']:+.4f} ({certain}) on the "
        f"{ensemble['on']} compared with its best member {code(best['run'])} alone ({best['auc']:.4f})."
    ]


def _operating_points(points: pd.DataFrame, chosen_from: int, held_out: bool) -> list[str]:
    first, seen = points.iloc[0], ""
    if chosen_from > 1 and not held_out:
        seen = " The choice of the model has seen both halves, so these values are optimistic."
    prevalences = [
        column.removeprefix("ppv_at_").removesuffix("_low")
        for column in points
        if column.startswith("ppv_at_") and column.endswith("_low")
    ]
    columns = ["chosen for", "threshold", "sensitivity", "specificity", "PPV", "NPV"]
    columns += [f"PPV at {100 * float(prevalence):g} %" for prevalence in prevalences]
    lines = [
        f"Operating points, chosen on {first.chosen_on} and reported on {first.reported_on}; PPV also at "
        f"other prevalences (shares of positive patches).{seen}",
        "",
        f"| {' | '.join(columns)} |",
        f"| {' | '.join('---' for _ in columns)} |",
    ]
    for row in points.to_dict("records"):
        rates = [rate(row, name) for name in ("sensitivity", "specificity", "ppv", "npv")]
        elsewhere = [rate(row, f"ppv_at_{prevalence}") for prevalence in prevalences]
        cells = [CRITERIA[row["point"]], f"{row['threshold']:.4f}", *rates, *elsewhere]
        lines.append(f"| {' | '.join(cells)} |")
    return lines
