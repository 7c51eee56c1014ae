"""The experiment in words: what was compared, what came out, what each setting changed."""

import json
from pathlib import Path

import pandas as pd

from pcam.files import read_table, replacing

SPLIT = {
    "none": "draws patches at random: expect less on slides that are new to a model.",
    "slide": "keeps each slide on one side: its models validate on slides that they have not seen.",
    "appearance": (
        "keeps patches that were stained and scanned alike on one side: a stand-in for slides, which shows "
        "what a model loses on an appearance that it has not seen."
    ),
}


def write_summary(
    experiment: str, cleaning: str, splits: dict[str, dict], runs: str, effects: str, summary: str
) -> None:
    """Write summary.md from the summary of cleaning (JSON) and the tables of runs and of effects.

    splits: the splits of the experiment as configured, by name.
    """
    rows, changes = read_table(runs), read_table(effects)
    lines = [f"# {experiment}", "", *_data(json.loads(Path(cleaning).read_text()))]
    lines += [*(f"Split `{name}` {SPLIT[split['group_by']]}" for name, split in splits.items()), ""]
    for study, group in rows.groupby("study", sort=False):
        lines += [f"## Study `{study}`", "", *_study(group), ""]
        if effects_in_words := _effects(changes[changes.study == study]):
            lines += [*effects_in_words, ""]
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
    ranked = group.sort_values("final_val_auc", ascending=False, kind="stable")
    best = ranked.iloc[0]
    lines = [
        f"Best of {len(ranked)}: `{best.run}` with a validation AUROC of {_auc(best)} "
        f"after {best.epochs} {'epoch' if best.epochs == 1 else 'epochs'}."
    ]
    others = ranked[1:]
    for verdict, words in (
        (True, "No evidence that these are worse (paired test, Holm)"),
        (None, "Validated on other patches, so not tested against it"),
    ):
        found = others[others.tied_with_best.isna() if verdict is None else others.tied_with_best == verdict]
        if len(found):
            lines.append(f"{words}: {', '.join(f'`{name}`' for name in found.run)}.")
    return lines


def _auc(row: pd.Series) -> str:
    return f"{row.final_val_auc:.4f} (95 % interval {row.val_auc_low:.4f}–{row.val_auc_high:.4f})"


def _effects(changes: pd.DataFrame) -> list[str]:
    lines = []
    for setting, group in changes.groupby("setting", sort=False):
        best = group.loc[group.difference.idxmax()]
        others = ", ".join(str(value) for value in group.value if value != best.value)
        lines.append(
            f"- `{setting}`: {best.value} scored {best.difference:+.4f} AUROC against {others}, "
            f"all else equal (mean over {best.runs} {'run' if best.runs == 1 else 'runs'})."
        )
    return lines
