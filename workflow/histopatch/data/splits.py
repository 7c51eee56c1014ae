"""Splits: which patches train and which validate; folds.py says what the numbers mean."""

import logging
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold, train_test_split

from histopatch.data.folds import HELD_OUT, TRAIN_ONLY, fold_name
from histopatch.data.groups import group_patches, read_slides
from histopatch.errors import InputError
from histopatch.files import read_table, write_table

DRAWS = 1000  # random orders of the groups, of which the best one is taken
OFF = 0.25  # of the wanted size, from which on a part is far from it


def split_files(
    labels: str, slides: str | None, appearance: str | None, duplicates: str | None, rules: dict, split: str
) -> None:
    """Split the clean labels (CSV `id,label`) into a table `id,label,slide,fold`.

    slides: CSV `id,slide` or None, which leaves the column empty. appearance and duplicates: what was
    measured on the pack, or None where the rules do not need it. rules: the split in the configuration.
    Raises InputError, which names the split after its file, where the patches or the groups are too few for
    what is wanted.
    """
    table = read_table(labels)
    table["slide"] = read_slides(table.id, slides, rules["unmapped"]) if slides else ""
    try:
        groups = group_patches(table, rules, appearance, duplicates)
        # Whatever the folds are made of, what is held out is of slides that no training sees.
        by_slide = rules | {"group_by": "slide"}
        whole = group_patches(table, by_slide, None, duplicates) if table.slide.any() else groups
        table["fold"] = assign_folds(table.label.to_numpy(), groups, whole, rules)
    except InputError as error:
        raise InputError(f"splits.{Path(split).stem}.{error}") from None
    write_table(table, split)
    for fold, part in table.groupby("fold"):
        share = 100 * part.label.mean()
        logging.info("%s: %d patches, %.1f %% positive", fold_name(fold), len(part), share)


def assign_folds(
    labels: np.ndarray, groups: np.ndarray | None, whole: np.ndarray | None, rules: dict
) -> np.ndarray:
    """The fold of each patch. Patches of a group (None: there are none) get the same one.

    whole: the groups that are held out as a whole or not at all.
    """
    folds = np.full(len(labels), TRAIN_ONLY)
    rest = np.arange(len(labels))
    seed = rules["seed"]
    if rules["held_out_fraction"]:
        held_out = _draw(labels, whole, rules["held_out_fraction"], seed, "held_out_fraction")
        folds[held_out] = HELD_OUT
        rest = np.flatnonzero(~held_out)
        labels, groups = labels[rest], None if groups is None else groups[rest]
    if rules["folds"] > 1:
        folds[rest] = _cross_validation(labels, groups, rules["folds"], seed)
    else:
        drawn = _draw(labels, groups, rules["validation_fraction"], seed, "validation_fraction")
        folds[rest[drawn]] = 0
    return folds


def _draw(labels: np.ndarray, groups: np.ndarray | None, fraction: float, seed: int, key: str) -> np.ndarray:
    """Which patches a draw of a fraction takes, the classes in proportion: boolean.

    Without groups the same draw as scikit-learn's `train_test_split(..., stratify=labels)`.
    """
    if groups is not None:
        return draw_groups(labels, groups, fraction, seed, f"{key}: {fraction}")
    rows = np.arange(len(labels))
    try:
        _, taken = train_test_split(rows, test_size=fraction, random_state=seed, stratify=labels)
    except ValueError as error:  # too few patches of a class for the fraction
        raise InputError(f"{key}: {fraction} is impossible: {error}") from None
    if len(np.unique(labels[taken])) < 2:  # which scikit-learn lets pass
        raise InputError(f"{key}: {fraction} is impossible: there are too few patches of a class")
    return np.isin(rows, taken)


def draw_groups(
    labels: np.ndarray, groups: np.ndarray, fraction: float, seed: int, setting: str
) -> np.ndarray:
    """Which patches a draw of whole groups takes: boolean.

    Groups come one after the other in a random order. Of many orders, and of all places to stop in each,
    the one is taken whose shares of either class are nearest to the wanted fraction. setting: what is being
    done, for the InputError where there are too few groups.
    """
    _, groups = np.unique(groups, return_inverse=True)
    counts = np.stack([np.bincount(groups, labels == label) for label in (0, 1)], axis=1)  # groups×classes
    total = counts.sum(axis=0)
    rng = np.random.default_rng(seed)
    best, taken = np.inf, None
    for _ in range(DRAWS):
        order = rng.permutation(len(counts))
        sums = counts[order].cumsum(axis=0)
        distance = np.square(sums / total - fraction).sum(axis=1)
        distance[((sums == 0) | (sums == total)).any(axis=1)] = np.inf  # a class is missing on one side
        stop = distance.argmin()
        if distance[stop] < best:
            best, taken = distance[stop], order[: stop + 1]
        if best <= np.square(0.5 / total).sum():  # half a patch of either class: it cannot be nearer
            break
    if taken is None:
        raise InputError(
            f"{setting} is impossible: the {len(counts)} groups of patches are too few "
            "to have both classes on both sides"
        )
    drawn = np.isin(groups, taken)
    if abs(drawn.mean() / fraction - 1) > OFF:
        logging.warning("groups are large: %.1f %% instead of %.1f %%", 100 * drawn.mean(), 100 * fraction)
    return drawn


def _cross_validation(labels: np.ndarray, groups: np.ndarray | None, folds: int, seed: int) -> np.ndarray:
    """The fold of each patch, the classes in proportion.

    Whole groups are drawn for one fold after the other, which leaves the folds nearer to each other in size
    and balance than scikit-learn's StratifiedGroupKFold.
    """
    fewest = np.bincount(labels, minlength=2).min()
    if fewest < folds:
        raise InputError(f"folds: {folds} is impossible: there are only {fewest} patches of a class")
    fold = np.full(len(labels), folds - 1)
    if groups is None:
        splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
        for k, (_, validation) in enumerate(splitter.split(labels, labels)):
            fold[validation] = k
        return fold
    rest = np.arange(len(labels))
    for k in range(folds - 1):
        drawn = draw_groups(labels[rest], groups[rest], 1 / (folds - k), seed, f"folds: {folds}")
        fold[rest[drawn]] = k
        rest = rest[~drawn]
    return fold
