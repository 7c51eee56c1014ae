"""The scores of all slides of an input."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from histopatch.files import replacing, write_table
from histopatch.slides.scores import AUROCS, SCORES, score_aurocs

COLUMNS = ["slide", "label", "tiles", "background", *SCORES, "point", "threshold", "reason"]
FEWEST = 2  # slides with label 0, and with 1, for an interval


def write_slides(
    names: Sequence[str],
    summaries: Sequence[str],
    labels: Mapping[str, str],
    table: str,
    aurocs: str,
    summary: str,
) -> None:
    """Write a row for each slide, the AUROCs of their scores, and what they come to in a few lines.

    names: of N slides; summaries: the slide.json of each; labels: 0, 1 or empty by name, none where the input
    has none. The table has COLUMNS; `reason` is why a slide could not be used, which then has no scores.
    Where both labels have two slides with scores at least, aurocs has a row for each of SCORES; else none.
    """
    read = [json.loads(Path(path).read_text()) for path in summaries]
    slides = pd.DataFrame([found | {"slide": name} for name, found in zip(names, read, strict=True)])
    slides = slides.reindex(columns=COLUMNS)
    slides["label"] = [labels.get(name, "") for name in names]
    write_table(slides, table)
    labelled = slides[slides.label.isin(["0", "1"]) & slides["max"].notna()]
    found = pd.DataFrame(columns=AUROCS)
    if min((labelled.label == label).sum() for label in "01") >= FEWEST:
        found = score_aurocs(labelled.label.astype(int), labelled)
    write_table(found, aurocs)
    lines = describe(slides, found)
    with replacing(summary) as temporary:
        temporary.write_text("\n".join(lines) + "\n")
    if slides.reason.notna().any():
        logging.warning("%s", lines[1])


def describe(slides: pd.DataFrame, aurocs: pd.DataFrame) -> list[str]:
    """What the tables come to, in sentences."""
    used = slides[slides.reason.isna()]
    slide = "slide" if len(used) == 1 else "slides"
    lines = [f"Predicted: {used.tiles.sum():,} tiles of {len(used):,} {slide}."]
    if len(used) < len(slides):
        first = slides[slides.reason.notna()].iloc[0]
        lines.append(f"{len(slides) - len(used)} of {len(slides)} slides could not be used: {first.reason}")
    if empty := int((used.tiles == 0).sum()):
        lines.append(f"{empty} of them show no tissue.")
    lines += [
        f"AUROC of `{row.score}` over {row.slides} labelled slides, {row.positive} positive: {row.auc:.4f} "
        f"(95 % interval {row.auc_low:.4f}–{row.auc_high:.4f}, DeLong)."
        for row in aurocs.itertuples()
    ]
    return lines
