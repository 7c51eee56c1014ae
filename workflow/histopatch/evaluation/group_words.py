"""The subgroups of the final model in words: a table of each, and whether their AUROCs differ."""

import pandas as pd

from histopatch.evaluation.intervals import rate
from histopatch.evaluation.markdown import escape
from histopatch.statistics.multiplicity import ALPHA

MOST = 12  # groups that a table here lists; the file has all
OF_PATCHES = " (intervals of a slide are over its patches)"


def describe_subgroups(groups: pd.DataFrame, tests: pd.DataFrame) -> list[str]:
    """Sentences and tables; groups and tests: as `subgroup_tables` writes them."""
    lines = []
    if (groups.group.value_counts() <= MOST).any():
        at = f"Youden's threshold, {groups.threshold.iloc[0]:.4f}"
        lines += [f"Sensitivity and specificity are at {at}; no test compares them.", ""]
    for test in tests.itertuples():
        these = groups[groups.group == test.group]
        if len(these) <= MOST:
            lines += [*_table(test.group, these), ""]
        lines += [_sentence(test, these), ""]
    several = tests.p_value.notna().sum()
    if several > 1:
        lines += [f"These are {several} tests, not adjusted for each other.", ""]
    return lines[:-1]


def _table(group: str, these: pd.DataFrame) -> list[str]:
    lines = [
        f"| {group} | patches | positive | AUROC | sensitivity | specificity |",
        "| --- | --: | --: | --- | --- | --- |",
    ]
    for row in these.to_dict("records"):
        cells = [rate(row, name) for name in ("auc", "sensitivity", "specificity")]
        if pd.notna(row["note"]):
            cells[0] = f"{'–' if pd.isna(row['auc']) else format(row['auc'], '.3f')} ({row['note']})"
        lines.append(
            f"| {escape(row['value'])} | {row['patches']:,} | {row['positive']:,} | {' | '.join(cells)} |"
        )
    return lines


def _sentence(test, these: pd.DataFrame) -> str:
    """Whether the AUROCs of the groups differ, as far as can be said."""
    known = these[these.auc.notna()]
    which = f"By {test.group}"
    if len(known):
        lowest, highest = known.loc[known.auc.idxmin()], known.loc[known.auc.idxmax()]
        which += (
            f" ({len(these)}), the AUROC is {lowest.auc:.4f} wherever there is one"
            if lowest.auc == highest.auc
            else f" ({len(these)}), the AUROC is from {lowest.auc:.4f} ({escape(lowest['value'])}) to "
            f"{highest.auc:.4f} ({escape(highest['value'])})"
        )
    which += OF_PATCHES if test.group == "slide" else ""
    if pd.isna(test.p_value):
        if test.groups > 1:  # without a common slide they would be tested
            return (
                f"{which}. The groups share slides or patients, too few of them to test whether they differ."
            )
        enough = "" if these.units.isna().all() else " on enough slides or patients"
        return f"{which}. Too few groups have both classes{enough} to test whether they differ."
    verdict = (
        f"the AUROCs of the {test.groups} groups that can be compared differ"
        if test.p_value <= ALPHA
        else f"that the AUROCs of the {test.groups} groups that can be compared differ may be chance"
    )
    return (
        f"{which}; {verdict} (F = {test.statistic:.2f} on {test.numerator:.0f} and {test.denominator:.1f} "
        f"degrees of freedom, p = {test.p_value:.3g})."
    )
