"""What an audit says on the terminal: what was audited, what leaks, and what could not be checked."""

from collections.abc import Iterator

import pandas as pd

from histopatch.data.names import quote
from histopatch.data.units import UNITS, describe_similar
from histopatch.given_splits.audit import Audited
from histopatch.leakage.audit import KINDS, verdict

EXAMPLES = 3  # of each kind
HOW_TO_KNOW = {
    "label": "a column `label`, or LABELS=table.csv with `id,label`",
    "slide": "a column `slide`, or SLIDES=table.csv with `id,slide`",
    "patient": "a column `patient`, or SLIDES=table.csv with `id,slide,patient`",
}


def leaks(audited: Audited) -> bool:
    """Whether anything was found that should not be."""
    return verdict(audited.report)[0]


def describe(audited: Audited) -> str:
    """The findings of an audit in lines of text."""
    found = [f"  {line}" for line in _found(audited)]
    unchecked = [f"  {line}" for line in _unchecked(audited)]
    lines = [*_audited(audited), "What leaks:" if found else "No leak was found.", *found]
    lines += ["What could not be checked:", *unchecked] if unchecked else []
    return "\n".join("".join(c if c.isprintable() else "\ufffd" for c in line) for line in lines)


def _audited(audited: Audited) -> Iterator[str]:
    patches, report = audited.split.patches, audited.report
    sides = [f"{side} {number:,}" for side, number in report["patches"].items()]
    count = patches.id.nunique()
    yield f"{audited.split.where}: {count:,} patches on {len(sides):,} sides ({_some(sides, 10)})"
    for unit in UNITS:
        if known := report.get(f"{unit}s", {}).get("known"):
            yield f"  {known:,} {KINDS[unit][known != 1]}"
    labels = sorted({*patches.label} - {""})
    if labels:
        yield f"  {len(labels):,} labels: {_some([*map(quote, labels)], 10)}"


def _some(texts: list[str], most: int) -> str:
    return ", ".join(texts[:most]) + (", …" if len(texts) > most else "")


def _found(audited: Audited) -> Iterator[str]:
    pairs = audited.pairs
    for kind, (one, several) in KINDS.items():
        wrong = pairs[(pairs.kind == kind) & ((pairs.fold_a != pairs.fold_b) | (kind == "two_labels"))]
        if wrong.empty:
            continue
        words = f"{len(wrong):,} {one if len(wrong) == 1 else several}"
        if kind != "two_labels":
            words += " on more than one side"
        examples = _units(audited, kind) if kind in UNITS else _images(wrong, kind)
        yield f"{words}: {'; '.join(examples)}{'; …' if len(wrong) > EXAMPLES else ''}"


def _units(audited: Audited, unit: str) -> list[str]:
    """Slides or patients with the number of their patches on each side."""
    shared = audited.report[f"{unit}s"]["on_several_sides"]
    return [
        f"{quote(name)} ({', '.join(f'{side} {count:,}' for side, count in sides.items() if count)})"
        for name, sides in [*shared.items()][:EXAMPLES]
    ]


def _images(pairs: pd.DataFrame, kind: str) -> list[str]:
    """Pairs of images by their names, each with its side, and its label where that is what is wrong."""

    def told(name: str, side: str, label: str) -> str:
        return f"{quote(name)} ({side}{f', label {label}' if kind == 'two_labels' else ''})"

    return [
        f"{quote(pair.id_a)} ({pair.fold_a}, {pair.fold_b})"
        if kind == "patch"
        else f"{told(pair.id_a, pair.fold_a, pair.label_a)} = {told(pair.id_b, pair.fold_b, pair.label_b)}"
        for pair in pairs[:EXAMPLES].itertuples()
    ]


def _unchecked(audited: Audited) -> Iterator[str]:
    patches = audited.split.patches
    for fact, how in HOW_TO_KNOW.items():
        known = patches[fact] != ""
        if not known.any():
            yield f"{fact}s: none are known; give {how}"
        elif not known.all():
            yield f"{fact}s: {(~known).sum():,} of {len(patches):,} patches have none"
    for unit in UNITS:
        if similar := audited.report.get(f"{unit}s", {}).get("similar_names"):
            yield f"{describe_similar(unit, similar)}, and count as one"
    yield from audited.split.notes
