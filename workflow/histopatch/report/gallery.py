"""Patches worth a look, at full size and with what is known about each."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from histopatch.data.pack_index import find_images
from histopatch.data.pixels import Pixels
from histopatch.files import read_table
from histopatch.report.pictures import Picture, from_patch, with_evidence

CLASSES = ("negative", "positive")  # by label
SUSPECTS = 24


class Patch(NamedTuple):
    """A patch of a gallery: its pictures, of which the second may be under a heat map, and its caption."""

    id: str
    pictures: list[Picture]
    alts: list[str]
    facts: list[str]


def mistakes(confident: str, maps: str, pack: str, index: str) -> list[Patch]:
    """The most confident wrong predictions with their heat maps, in the order of the table.

    A map that is too coarse to say where the evidence is, or has none (no `centre_share`), is left out.
    confident: CSV `id,label,probability,centre_share`, and maps: the map of each row (.npy, n×h×w); wrong is
    what lies on the wrong side of a probability of 1/2. pack: uint8 N×H×W×3 (.npy); index: table `id,row`.
    """
    table = read_table(confident)
    evidence = np.load(maps)
    wrong = np.flatnonzero((table.probability >= 0.5) != (table.label == 1))
    shown = table.iloc[wrong]
    patches = []
    for row, pixels, heat in zip(
        shown.itertuples(), _pixels(shown, pack, index), evidence[wrong], strict=True
    ):
        taken = CLASSES[1 - row.label]
        pictures, alts = [from_patch(pixels)], [f"The {CLASSES[row.label]} patch {row.id}."]
        if pd.notna(row.centre_share):
            pictures.append(with_evidence(pixels, heat))
            alts.append(f"The same patch; bright where most speaks for {taken}.")
        facts = [f"{CLASSES[row.label]}, taken for {taken}", f"probability {row.probability:.4f}"]
        patches.append(Patch(row.id, pictures, alts, facts))
    return patches


def suspects(suspect_labels: str, pack: str, index: str) -> list[Patch]:
    """The SUSPECTS patches with the most suspicious labels, the most suspicious first.

    suspect_labels: CSV `rank,id,label,probability,slide`; pack and index: as of `mistakes`.
    """
    shown = read_table(suspect_labels).head(SUSPECTS)
    return [
        Patch(
            row.id,
            [from_patch(pixels)],
            [f"Patch {row.id}, labelled {CLASSES[row.label]}."],
            [
                f"{row.rank}. labelled {CLASSES[row.label]}",
                f"probability {row.probability:.4f}",
                *([] if pd.isna(row.slide) else [f"slide {row.slide}"]),
            ],
        )
        for row, pixels in zip(shown.itertuples(), _pixels(shown, pack, index), strict=True)
    ]


def _pixels(table: pd.DataFrame, pack: str, index: str) -> np.ndarray:
    """The patches of the ids of a table, uint8 n×H×W×3."""
    rows = find_images(index, "id", table.id).set_index("id").row.reindex(table.id)
    return Pixels(pack)[rows.to_numpy(int)]
