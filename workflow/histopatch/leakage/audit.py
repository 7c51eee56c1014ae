"""The leakage audit: what a split has on more than one side, and images that have two labels.

A side is a fold, the patches that only train, or those held out: whatever is on two of them is trained on
and validated on at some point. Kinds of pairs, besides those of duplicates.py:

slide       a slide on several sides, by one patch on either
two_labels  one image, as it is, flipped or turned, with both labels; wrong on whichever side
"""

import json
import logging
from pathlib import Path

import pandas as pd

from histopatch.data.folds import fold_name
from histopatch.errors import InputError
from histopatch.files import read_table, replacing, write_json, write_table

# What a pair of each kind is called: one and several.
KINDS = {
    "slide": ("slide", "slides"),
    "identical": ("pair of identical images", "pairs of identical images"),
    "turned": ("pair of flipped or turned images", "pairs of flipped or turned images"),
    "near": ("pair of near duplicates", "pairs of near duplicates"),
    "two_labels": ("image pair with two labels", "image pairs with two labels"),
}
COLUMNS = ["kind", "id_a", "id_b", "label_a", "label_b", "fold_a", "fold_b"]


def audit_files(split: str, duplicates: str, report: str, pairs: str) -> None:
    """Audit a split: the table `pairs` of what was found (COLUMNS), and the JSON `report` that counts it.

    split: CSV `id,label,slide,fold`; duplicates: the pairs of the pack, of which those count whose patches
    are both in the split.
    """
    table = read_table(split).fillna({"slide": ""})
    found = find_pairs(table, read_table(duplicates))
    write_table(found, pairs)
    write_json(summarise(table, found), report)


def find_pairs(table: pd.DataFrame, duplicates: pd.DataFrame) -> pd.DataFrame:
    """All pairs of a split by kind: COLUMNS."""
    images = duplicates[duplicates.id_a.isin(table.id) & duplicates.id_b.isin(table.id)]
    pairs = pd.concat([_slides(table), images[["kind", "id_a", "id_b"]]], ignore_index=True)
    known = table.set_index("id")
    for column in ("label", "fold"):
        for side in ("a", "b"):
            pairs[f"{column}_{side}"] = known[column].loc[pairs[f"id_{side}"]].to_numpy()
    one_image = pairs.kind.isin(["identical", "turned"]) & (pairs.label_a != pairs.label_b)
    return pd.concat([pairs, pairs[one_image].assign(kind="two_labels")], ignore_index=True)[COLUMNS]


def summarise(table: pd.DataFrame, pairs: pd.DataFrame) -> dict:
    """What the audit counts.

    `patches` by side; `slides`: how many are known, on several sides, and how many patches have none;
    `pairs` by kind: `found`, `crossing` (on two sides) and `patches`, those in crossing pairs.
    """
    crossing = pairs[pairs.fold_a != pairs.fold_b]
    mapped = table[table.slide != ""]
    sides = mapped.groupby("slide").fold.value_counts().unstack(fill_value=0)
    shared = sides[(sides > 0).sum(axis=1) > 1].rename(columns=fold_name)
    return {
        "patches": {fold_name(fold): len(side) for fold, side in table.groupby("fold")},
        "slides": {
            "known": int(mapped.slide.nunique()),
            "patches_without": len(table) - len(mapped),
            "on_several_sides": shared.to_dict("index"),
        },
        "pairs": {
            kind: {
                "found": int((pairs.kind == kind).sum()),
                "crossing": len(mine := crossing[crossing.kind == kind]),
                "patches": len({*mine.id_a, *mine.id_b}),
            }
            for kind in KINDS
        },
    }


def verdict(report: dict) -> tuple[bool, str]:
    """Whether a split leaks, by its report of `summarise`, and a sentence that says what."""
    pairs = report["pairs"]
    counts = {kind: pairs[kind]["found" if kind == "two_labels" else "crossing"] for kind in KINDS}
    texts = {kind: f"{n:,} {KINDS[kind][n != 1]}" for kind, n in counts.items() if n}
    two_labels = texts.pop("two_labels", None)
    text = f"on more than one side: {', '.join(texts.values()) or 'nothing'}"
    if not report["slides"]["known"]:
        text += " (no slide is known)"
    elif without := report["slides"]["patches_without"]:
        text += f" ({without:,} patches without a slide may share one)"
    return any(counts.values()), text + (f"; {two_labels}" if two_labels else "")


def judge_files(report: str, name: str, pairs: str, on_leak: str, verdict_file: str) -> None:
    """Write the verdict on a split as one line. Raises InputError where it leaks and on_leak is `stop`.

    report and pairs: as `audit_files` writes them; name: that of the split.
    """
    leaks, text = verdict(json.loads(Path(report).read_text()))
    line = f"split {name}: {text}"
    if leaks and on_leak == "stop":
        raise InputError(
            f"{line}; {pairs} lists them; mend split or labels, or set splits.{name}.on_leak: warn"
        )
    logging.log(logging.WARNING if leaks else logging.INFO, "%s%s", line, f"; see {pairs}" if leaks else "")
    with replacing(verdict_file) as temporary:
        temporary.write_text(line + "\n")


def _slides(table: pd.DataFrame) -> pd.DataFrame:
    """The slides on several sides, each by its first patch on the first side and on the next one."""
    firsts = table[table.slide != ""].drop_duplicates(["slide", "fold"])
    pairs = firsts.groupby("slide").id.agg(list)
    pairs = pairs[pairs.str.len() > 1]
    return pd.DataFrame({"kind": "slide", "id_a": pairs.str[0], "id_b": pairs.str[1]}).reset_index(drop=True)
