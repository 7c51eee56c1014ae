"""Splits: which patches train, validate or are held out; folds.py says what the fold numbers mean."""

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold, train_test_split

from histopatch.data.folds import HELD_OUT, HELD_OUT_PART, TRAIN_ONLY, VALIDATION_PART, fold_name
from histopatch.data.formats.format import Format
from histopatch.data.groups import group_patches
from histopatch.data.slides import slides_of
from histopatch.errors import InputError
from histopatch.files import read_table, write_table
from histopatch.settings import Split

DRAWS = 1000  # random orders of the groups, of which the best one is taken
TOLERANCE = 0.25  # relative deviation from the requested size above which a warning is logged


def split_files(
    labels: str, dataset: Format, appearance: str | None, duplicates: str | None, split: Split, table: str
) -> None:
    """Split the clean labels (CSV `id,label`) into the table `id,label,slide,fold`.

    dataset: knows slides, patients and given parts, or not; where it knows patients, the table has a column
    `patient` too. appearance and duplicates: the tables of the pack, or None where the split does not use
    them. Raises InputError if there are too few patches or groups for the split; the message names the split
    after the stem of `table`.
    """
    patches = read_table(labels)
    try:
        known = slides_of(patches.id, dataset.slides(), split.group_by, split.unmapped)
        patches["slide"], patches["patient"] = known.slide, known.patient
        groups = group_patches(patches, split, appearance, duplicates)
        # However the folds are made, held-out patches come from slides that no training sees.
        held_out_groups = groups
        for name in ("patient", "slide"):
            if (patches[name] != "").any():
                whole = dataclasses.replace(split, group_by=name)
                held_out_groups = group_patches(patches, whole, None, duplicates)
                break
        given = _given_parts(patches.id, dataset) if split.parts == "given" else None
        patches["fold"] = assign_folds(patches.label.to_numpy(), groups, held_out_groups, split, given)
    except InputError as error:
        raise InputError(f"splits.{Path(table).stem}.{error}") from None
    columns = ["id", "label", "slide", "fold"] + (["patient"] if (patches.patient != "").any() else [])
    write_table(patches[columns], table)
    for fold, part in patches.groupby("fold"):
        share = 100 * part.label.mean()
        logging.info("%s: %d patches, %.1f %% positive", fold_name(fold), len(part), share)


def _given_parts(ids: pd.Series, dataset: Format) -> np.ndarray:
    """The part that the data set gives each patch, as in `data.folds.GIVEN`."""
    return ids.map(dataset.given_parts().set_index("id").part).to_numpy()


def assign_folds(
    labels: np.ndarray,
    groups: np.ndarray | None,
    held_out_groups: np.ndarray | None,
    split: Split,
    given: np.ndarray | None = None,
) -> np.ndarray:
    """The fold of each patch; all patches of a group that is drawn get the same fold.

    labels: 0 or 1; groups: a number for each patch, or None where every patch is its own group;
    held_out_groups: the same for the part that is held out; given: the part of each patch where it is not
    drawn; what has no part given is drawn among the patches that train. Raises InputError if the split is
    impossible.
    """
    folds = np.full(len(labels), TRAIN_ONLY)
    rest = np.arange(len(labels))
    if given is not None and (given == HELD_OUT_PART).any():
        folds[given == HELD_OUT_PART] = HELD_OUT
        rest = np.flatnonzero(given != HELD_OUT_PART)
        labels, groups = labels[rest], None if groups is None else groups[rest]
    elif split.held_out_fraction:
        held_out = _draw(labels, held_out_groups, split.held_out_fraction, split.seed, "held_out_fraction")
        folds[held_out] = HELD_OUT
        rest = np.flatnonzero(~held_out)
        labels, groups = labels[rest], None if groups is None else groups[rest]
    if given is not None and (given == VALIDATION_PART).any():
        folds[given == VALIDATION_PART] = 0
    elif split.folds > 1:
        folds[rest] = _cross_validation(labels, groups, split.folds, split.seed)
    else:
        validation = _draw(labels, groups, split.validation_fraction, split.seed, "validation_fraction")
        folds[rest[validation]] = 0
    return folds


def _draw(labels: np.ndarray, groups: np.ndarray | None, fraction: float, seed: int, key: str) -> np.ndarray:
    """Draw a stratified fraction of the patches: boolean, true for those drawn.

    Without groups this is scikit-learn's `train_test_split(..., stratify=labels)`.
    """
    if groups is not None:
        return draw_groups(labels, groups, fraction, seed, f"{key}: {fraction}")
    rows = np.arange(len(labels))
    try:
        _, drawn = train_test_split(rows, test_size=fraction, random_state=seed, stratify=labels)
    except ValueError as error:  # too few patches of a class for the fraction
        raise InputError(f"{key}: {fraction} is impossible: {error}") from None
    if len(np.unique(labels[drawn])) < 2:  # which scikit-learn accepts
        raise InputError(f"{key}: {fraction} is impossible: there are too few patches of a class")
    return np.isin(rows, drawn)


def draw_groups(
    labels: np.ndarray, groups: np.ndarray, fraction: float, seed: int, setting: str
) -> np.ndarray:
    """Draw whole groups that make up a stratified fraction of the patches: boolean, true for those drawn.

    Groups are taken one after the other in a random order. Of many orders, and of all places to stop in
    each, the one is used whose share of each class is nearest to the fraction. setting: the key and value to
    name in the InputError if there are too few groups.
    """
    _, groups = np.unique(groups, return_inverse=True)
    counts = np.stack([np.bincount(groups, labels == label) for label in (0, 1)], axis=1)  # groups×classes
    total = counts.sum(axis=0)
    rng = np.random.default_rng(seed)
    smallest, drawn_groups = np.inf, None
    for _ in range(DRAWS):
        order = rng.permutation(len(counts))
        sums = counts[order].cumsum(axis=0)
        distance = np.square(sums / total - fraction).sum(axis=1)
        distance[((sums == 0) | (sums == total)).any(axis=1)] = np.inf  # a class is missing on one side
        stop = distance.argmin()
        if distance[stop] < smallest:
            smallest, drawn_groups = distance[stop], order[: stop + 1]
        if smallest <= np.square(0.5 / total).sum():  # half a patch of each class: no order can be nearer
            break
    if drawn_groups is None:
        raise InputError(
            f"{setting} is impossible: there are too few groups of patches ({len(counts)}) to have both "
            "classes on both sides"
        )
    drawn = np.isin(groups, drawn_groups)
    if abs(drawn.mean() / fraction - 1) > TOLERANCE:
        logging.warning(
            "groups are large: drew %.1f %% of the patches instead of %.1f %%",
            100 * drawn.mean(), 100 * fraction,
        )  # fmt: skip
    return drawn


def _cross_validation(labels: np.ndarray, groups: np.ndarray | None, folds: int, seed: int) -> np.ndarray:
    """The fold of each patch in stratified cross-validation.

    Groups are drawn for one fold after the other, which gives folds that are more alike in size and class
    balance than those of scikit-learn's StratifiedGroupKFold.
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
