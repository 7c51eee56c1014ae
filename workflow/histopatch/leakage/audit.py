"""The leakage audit: what is on more than one side of a split, and images with two labels.

A side is a fold, the patches that only train, or the held-out patches: what is on two of them is trained on
and evaluated on at some point. Kinds of pairs, besides those of duplicates.py:

patch       a patch that is itself on several sides, which only a split that was made elsewhere has
patient     a patient on several sides, represented by one patch from each of two sides
slide       likewise; names that differ only by case or a trailing `.0` are one slide or patient
two_labels  one image, identical or flipped or rotated, with different labels, one of which must be wrong
"""

import json
import logging
from pathlib import Path

import pandas as pd

from histopatch.data.folds import split_blocks
from histopatch.data.same_images import pairs_among
from histopatch.data.units import UNITS, called, describe_similar, similar_names, spelling
from histopatch.database import database
from histopatch.errors import InputError
from histopatch.files import read_table, replacing, write_json, write_table
from histopatch.leakage.sides import side_name

# The name of each kind in a sentence, singular and plural.
KINDS = {
    "patch": ("patch", "patches"),
    "patient": ("patient", "patients"),
    "slide": ("slide", "slides"),
    "identical": ("pair of identical images", "pairs of identical images"),
    "turned": ("pair of flipped or rotated images", "pairs of flipped or rotated images"),
    "near": ("pair of near duplicates", "pairs of near duplicates"),
    "two_labels": ("image pair with two labels", "image pairs with two labels"),
}
COLUMNS = ["kind", "id_a", "id_b", "label_a", "label_b", "fold_a", "fold_b"]


def audit_files(split: str, duplicates: str, report: str, pairs: str) -> None:
    """Audit a split: write what was found as the table `pairs` (COLUMNS) and its counts as the JSON `report`.

    split: CSV `id,label,slide,fold`, perhaps with `patient`; duplicates: the pairs of the pack, of which
    those with both patches in the split count.
    """
    with database(report) as tables:
        tables.load("split", split_blocks(split, ["id", "label", "fold"]))
        images = read_table(duplicates)
        tables.load("paired", [pd.DataFrame({"id": pd.concat([images.id_a, images.id_b])}, dtype=str)])
        # Of all others a first one on each side stands for its slide or patient.
        table = tables.table(
            """FROM split WHERE id IN (SELECT id FROM paired)
            OR id IN (SELECT id FROM split GROUP BY id HAVING count(*) > 1)
            OR place IN (SELECT min(place) FROM split WHERE slide <> '' GROUP BY slide, fold)
            OR place IN (SELECT min(place) FROM split WHERE patient <> '' GROUP BY patient, fold)
            ORDER BY place"""
        )
        sides = tables.table(
            "SELECT fold, slide, patient, count(*) AS count FROM split GROUP BY ALL ORDER BY min(place)"
        )
    found = find_pairs(table, images)
    write_table(found, pairs)
    write_json(summarise(sides, found), report)


def count_sides(table: pd.DataFrame) -> pd.DataFrame:
    """How many patches of a split each side has of each slide and patient: `fold,slide,patient,count`."""
    return table.groupby(["fold", "slide", "patient"], sort=False).size().reset_index(name="count")


def find_pairs(table: pd.DataFrame, duplicates: pd.DataFrame) -> pd.DataFrame:
    """All pairs in a split, with their kinds: COLUMNS.

    table: `id,label,slide,patient,fold`, in which a text is empty where it is not known; a patch that is on
    several sides has a row for each.
    """
    sides = table[["id", "label", "fold"]]
    images = pairs_among(duplicates, table.id)
    for end in ("a", "b"):
        images = images.merge(sides.add_suffix(f"_{end}"), on=f"id_{end}")
    # A pair counts once, and crosses if any of the sides that its patches are on differ.
    crossing = images.fold_a != images.fold_b
    images = (
        pd.concat([images[crossing], images[~crossing]])
        .drop_duplicates(["kind", "id_a", "id_b"])
        .sort_index()
    )
    shared = [_shared(table, unit, spelling(table[unit])) for unit in UNITS]
    pairs = pd.concat([_shared(table, "patch", table.id), *shared, images], ignore_index=True)[COLUMNS]
    contradict = (pairs.label_a != pairs.label_b) & (pairs.label_a != "") & (pairs.label_b != "")
    one_image = pairs.kind.isin(["identical", "turned"])
    return pd.concat([pairs, pairs[one_image & contradict].assign(kind="two_labels")], ignore_index=True)


def summarise(sides: pd.DataFrame, pairs: pd.DataFrame) -> dict:
    """The counts of the audit. sides: as of `count_sides`; pairs: as of `find_pairs`.

    `patches` by side; `slides`: how many are known, how many patches have none, the patches by side of each
    slide on several sides, and `similar_names`, which are taken for one slide; `patients`: likewise, where
    they are known; `pairs` by kind: `found`, `crossing` (on two sides) and `patches`, the number of patches
    in crossing pairs.
    """
    crossing = pairs[pairs.fold_a != pairs.fold_b]
    patients = {"patients": _summarise_units(sides, "patient")} if (sides.patient != "").any() else {}
    patches = sides.groupby("fold")["count"].sum().rename(index=side_name)
    return {
        "patches": patches.to_dict(),
        "slides": _summarise_units(sides, "slide"),
        **patients,
        "pairs": {
            kind: {
                "found": int((pairs.kind == kind).sum()),
                "crossing": len(across := crossing[crossing.kind == kind]),
                "patches": len({*across.id_a, *across.id_b}),
            }
            for kind in KINDS
        },
    }


def _summarise_units(sides: pd.DataFrame, unit: str) -> dict:
    """What `summarise` says of slides or patients; one of several names is called by the first."""
    mapped = sides[sides[unit] != ""]
    name = called(mapped[unit])
    counts = mapped["count"].groupby([name, mapped.fold]).sum().unstack(fill_value=0)
    shared = counts[(counts > 0).sum(axis=1) > 1].rename(columns=side_name)
    return {
        "known": int(name.nunique()),
        "patches_without": int(sides["count"].sum() - mapped["count"].sum()),
        "on_several_sides": shared.to_dict("index"),
        "similar_names": similar_names(mapped[unit]),
    }


def verdict(report: dict) -> tuple[bool, str]:
    """Whether a split leaks, according to its report from `summarise`, and what, in a phrase."""
    pairs = report["pairs"]
    counts = {kind: pairs[kind]["found" if kind == "two_labels" else "crossing"] for kind in KINDS}
    texts = {kind: f"{n:,} {KINDS[kind][n != 1]}" for kind, n in counts.items() if n}
    two_labels = texts.pop("two_labels", None)
    text = f"{', '.join(texts.values()) or 'nothing'} on more than one side"
    if not report["slides"]["known"]:
        text += " (no slides are known)"
    elif without := report["slides"]["patches_without"]:
        text += f" ({without:,} patches without a slide may share one)"
    notes = [two_labels] if two_labels else []
    for unit in UNITS:
        if similar := report.get(f"{unit}s", {}).get("similar_names"):
            notes.append(describe_similar(unit, similar))
    return any(counts.values()), "; ".join([text, *notes])


def judge_files(report: str, name: str, pairs: str, on_leak: str, verdict_file: str) -> None:
    """Write the verdict on a split as one line. Raises InputError if it leaks and on_leak is `stop`.

    report and pairs: the files that `audit_files` writes; name: the name of the split.
    """
    leaks, text = verdict(json.loads(Path(report).read_text()))
    line = f"split {name}: {text}"
    if leaks and on_leak == "stop":
        raise InputError(
            f"{line}; {pairs} lists them; correct the split or the labels, or set splits.{name}.on_leak: warn"
        )
    logging.log(logging.WARNING if leaks else logging.INFO, "%s%s", line, f"; see {pairs}" if leaks else "")
    with replacing(verdict_file) as temporary:
        temporary.write_text(line + "\n")


def _shared(table: pd.DataFrame, kind: str, names: pd.Series) -> pd.DataFrame:
    """What is on several sides by its name, each represented by its first patch on each of two sides.

    names: of the slide, patient or patch of each row; empty where it is not known.
    """
    firsts = table.assign(name=names)[names != ""].drop_duplicates(["name", "fold"])
    place = firsts.groupby("name").cumcount()
    ends = [firsts.loc[place == n, ["name", "id", "label", "fold"]] for n in (0, 1)]
    return ends[0].merge(ends[1], on="name", suffixes=("_a", "_b")).assign(kind=kind)[COLUMNS]
