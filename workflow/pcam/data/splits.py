"""Splits: which patches train and which validate.

A split gives each patch a fold. A training on fold k validates on the patches of fold k and trains on all
others; patches of fold -1 only ever train. A holdout has one fold, 0.
"""

import logging

import numpy as np
from sklearn.model_selection import train_test_split

from pcam.data.groups import group_patches, read_slides
from pcam.errors import InputError
from pcam.files import read_table, write_table

TRAIN_ONLY = -1
DRAWS = 1000  # random orders of the groups, of which the best one is taken
OFF = 0.25  # of the wanted size, from which on a part is far from it


def split_files(labels: str, slides: str | None, appearance: str | None, rules: dict, split: str) -> None:
    """Split the clean labels (CSV `id,label`) into a table `id,label,slide,fold`.

    slides: CSV `id,slide` or None, which leaves the column empty. appearance: what was measured on the
    pack, or None where the rules do not need it. rules: the split in the configuration. Raises InputError
    where the patches or the groups are too few for what is wanted.
    """
    table = read_table(labels)
    table["slide"] = read_slides(table.id, slides, rules["unmapped"]) if slides else ""
    groups = group_patches(table, rules, appearance)
    validates = draw(table.label.to_numpy(), groups, rules["validation_fraction"], rules["seed"])
    table["fold"] = np.where(validates, 0, TRAIN_ONLY)
    write_table(table, split)
    for fold, part in table.groupby("fold"):
        name = "training" if fold == TRAIN_ONLY else f"fold {fold}"
        logging.info("%s: %d patches, %.1f %% positive", name, len(part), 100 * part.label.mean())


def draw(labels: np.ndarray, groups: np.ndarray | None, fraction: float, seed: int) -> np.ndarray:
    """Which patches a draw of a fraction takes, the classes in proportion: boolean.

    Without groups the same draw as scikit-learn's `train_test_split(..., stratify=labels)`.
    """
    if groups is not None:
        return _draw_groups(labels, groups, fraction, seed)
    rows = np.arange(len(labels))
    try:
        _, taken = train_test_split(rows, test_size=fraction, random_state=seed, stratify=labels)
    except ValueError as error:  # too few patches of a class for the fraction
        raise InputError(f"splits.validation_fraction: {fraction} is impossible: {error}") from None
    return np.isin(rows, taken)


def _draw_groups(labels: np.ndarray, groups: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Which patches a draw of whole groups takes: boolean.

    Groups come one after the other in a random order. Of many orders, and of all places to stop in each,
    the one is taken whose patches of either class are nearest in number to the wanted fraction.
    """
    _, groups = np.unique(groups, return_inverse=True)
    counts = np.stack([np.bincount(groups, labels == label) for label in (0, 1)], axis=1)  # groups×classes
    total = counts.sum(axis=0)
    rng = np.random.default_rng(seed)
    best, taken = np.inf, None
    for _ in range(DRAWS):
        order = rng.permutation(len(counts))
        sums = counts[order].cumsum(axis=0)
        distance = np.abs(sums - fraction * total).sum(axis=1)
        distance[((sums == 0) | (sums == total)).any(axis=1)] = np.inf  # a class is missing on one side
        stop = distance.argmin()
        if distance[stop] < best:
            best, taken = distance[stop], order[: stop + 1]
        if best <= 1:  # half a patch of either class: it cannot be nearer
            break
    if taken is None:
        raise InputError(
            f"splits.validation_fraction: {fraction} is impossible: the {len(counts)} groups of "
            "patches are too few to have both classes on both sides"
        )
    drawn = np.isin(groups, taken)
    if abs(drawn.mean() / fraction - 1) > OFF:
        logging.warning("groups are large: %.1f %% instead of %.1f %%", 100 * drawn.mean(), 100 * fraction)
    return drawn
