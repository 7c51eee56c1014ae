"""Splits: which patches train, validate or are held out; folds.py says what the fold numbers mean."""

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold, train_test_split

from histopatch.data.class_counts import check_possible, check_validation
from histopatch.data.folds import HELD_OUT, HELD_OUT_PART, TRAIN_ONLY, VALIDATION_PART, fold_name
from histopatch.data.formats.format import Format
from histopatch.data.given_parts import parts_of
from histopatch.data.group_table import by_column
from histopatch.data.groups import group_patches
from histopatch.data.names import quote
from histopatch.data.slides import check_mapped, find_slides, source_of
from histopatch.data.units import UNITS, describe_similar, similar_names, spelling
from histopatch.database import Database, database
from histopatch.errors import InputError
from histopatch.files import beside, read_blocks, write_blocks
from histopatch.settings import Split

DRAWS = 1000  # random orders of the groups, of which the best one is taken
STATUS_WEIGHT = 1e-4  # of shares of groups, which only decide between equal shares of patches
TOLERANCE = 0.25  # relative deviation from the requested size above which a warning is logged


def split_files(
    labels: str,
    dataset: Format,
    appearance: str | None,
    duplicates: str | None,
    split: Split,
    table: str,
    named: str | None = None,
) -> None:
    """Split the clean labels (CSV `id,label`) into the table `id,label,slide,fold`.

    dataset: knows slides, patients and given parts, or not; where it knows patients, the table has a column
    `patient` too. appearance and duplicates: the tables of the pack, named: the groups that people name, or
    None where the split does not use them. Raises InputError if the split is impossible; the message names
    the split after the stem of `table`.
    """
    with database(table) as tables:
        tables.load("patches", read_blocks(labels))
        find_slides(tables, dataset)
        try:
            folds = _draw_folds(tables, dataset, appearance, duplicates, split, named)
        except InputError as error:
            raise InputError(f"splits.{Path(table).stem}.{error}") from None
        patches = tables.compact(
            "SELECT label::TINYINT AS label, slide, patient FROM patches ORDER BY place"
        ).assign(fold=folds)
        columns = ["id", "label", "slide", "fold"] + (["patient"] if (patches.patient != "").any() else [])
        known = tables.blocks("SELECT id, label, slide, patient FROM patches ORDER BY place")
        write_blocks((rows[columns] for rows in beside(known, pd.DataFrame({"fold": folds}))), table)
        _log_slides(tables, patches, dataset, split)
    for fold, part in patches.groupby("fold"):
        share = 100 * part.label.mean()
        mapped = part[part.slide != ""]
        slides, positive = (spelling(these.slide).nunique() for these in (mapped, mapped[mapped.label == 1]))
        of_slides = f"; {slides} slides, {positive} with positives" if slides else ""
        logging.info("%s: %d patches, %.1f %% positive%s", fold_name(fold), len(part), share, of_slides)


def _draw_folds(
    tables: Database,
    dataset: Format,
    appearance: str | None,
    duplicates: str | None,
    split: Split,
    named: str | None,
) -> np.ndarray:
    """The fold of each of the patches, in their order, as of `split_files`."""
    check_mapped(tables, split.group_by, split.unmapped, source_of(dataset))
    given = parts_of(tables, dataset, split) if split.parts == "given" else None
    groups = group_patches(tables, split, appearance, duplicates, named)
    # However the folds are made, held-out patches come from slides that no training sees.
    patches = tables.compact("SELECT label::TINYINT AS label, slide, patient FROM patches ORDER BY place")
    known = next((unit for unit in UNITS if (patches[unit] != "").any()), None)
    if by_column(split.group_by):  # whose groups are whole slides already
        known = None
    whole = split if known is None else dataclasses.replace(split, group_by=known)
    held_out_groups = groups if known is None else group_patches(tables, whole, None, duplicates)
    labels = patches.label.to_numpy()
    if given is None:
        check_possible(labels, groups, split)
    folds = assign_folds(labels, groups, held_out_groups, split, given)
    check_validation(labels, folds, split)
    return folds


def _log_slides(tables: Database, patches: pd.DataFrame, dataset: Format, split: Split) -> None:
    """Say where slides are from, which patches have none, and which names may mean one slide."""
    if (patches[[*UNITS]] == "").all(axis=None):
        if split.group_by == "none" and split.parts == "drawn":
            offer = ", or put `patch_id_wsi_full.csv` (`id,wsi`) beside the labels"
            logging.warning(
                "patches are drawn at random and no slides are known: expect less on new slides. With a "
                "slide map validation would be honest: name it in dataset.slides%s",
                offer if dataset.name == "kaggle" else "",
            )
        return
    where = source_of(dataset)
    for unit in UNITS:
        names = patches[unit][patches[unit] != ""]
        if len(names):
            logging.info("%s: %d %ss of %d patches", where, names.nunique(), unit, len(names))
            if len(names) < len(patches):
                (first,) = tables.row(f"SELECT arg_min(id, place) FROM patches WHERE {unit} = ''")
                logging.warning(
                    "%d of %d patches have no %s in %s, the first is %s",
                    len(patches) - len(names), len(patches), unit, where, quote(first),
                )  # fmt: skip
        if similar := similar_names(names):
            logging.warning("%s; each is taken for one %s", describe_similar(unit, similar), unit)


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
    folds = np.full(len(labels), TRAIN_ONLY, np.int16)
    if given is not None:
        folds[given == HELD_OUT_PART] = HELD_OUT
        folds[given == VALIDATION_PART] = 0

    def draw(key: str, groups: np.ndarray | None, sides: int) -> np.ndarray:
        """Draw the fraction that a key asks for from the patches that train so far: boolean."""
        rest = folds == TRAIN_ONLY
        own = None if groups is None else groups[rest]
        return _within(rest, _draw(labels[rest], own, getattr(split, key), sides, split.seed, key))

    if split.held_out_fraction:
        # Of the rest there will be the folds, or one part that trains and one that validates.
        folds[draw("held_out_fraction", held_out_groups, 1 + max(split.folds, 2))] = HELD_OUT
    if split.folds > 1:
        rest = folds == TRAIN_ONLY
        own = None if groups is None else groups[rest]
        folds[rest] = _cross_validation(labels[rest], own, split.folds, split.seed)
    elif given is None or not (given == VALIDATION_PART).any():
        folds[draw("validation_fraction", groups, 2)] = 0
    return folds


def _within(some: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Which of all patches are drawn (N booleans), where `drawn` says it of some of them (N booleans)."""
    chosen = some.copy()
    chosen[some] = drawn
    return chosen


def _draw(
    labels: np.ndarray, groups: np.ndarray | None, fraction: float, sides: int, seed: int, key: str
) -> np.ndarray:
    """Draw a stratified fraction of the patches: boolean, true for those drawn.

    Without groups this is scikit-learn's `train_test_split(..., stratify=labels)`; with groups, and for
    sides, see `draw_groups`.
    """
    if groups is not None:
        return draw_groups(labels, groups, fraction, sides, seed, f"{key}: {fraction}")
    rows = np.arange(len(labels))
    try:
        _, drawn = train_test_split(rows, test_size=fraction, random_state=seed, stratify=labels)
    except ValueError as error:  # too few patches of a class for the fraction
        raise InputError(f"{key}: {fraction} is impossible: {error}") from None
    drawn = np.isin(rows, drawn)
    if min(len(np.unique(labels[side])) for side in (drawn, ~drawn)) < 2:  # which scikit-learn accepts
        raise InputError(f"{key}: {fraction} is impossible: there are too few patches of a class")
    return drawn


def draw_groups(
    labels: np.ndarray, groups: np.ndarray, fraction: float, sides: int, seed: int, setting: str
) -> np.ndarray:
    """Draw whole groups that make up a stratified fraction of the patches: boolean, true for those drawn.

    Groups are taken one after the other in a random order. Of many orders, and of all places to stop in
    each, the one is used whose share of each class is nearest to the fraction, and less strictly its share
    of the groups with positives and of those without. sides: into how many parts the groups will be split in
    all. Each gets at least two groups with positives and two with negatives where there are enough: what is
    measured on a single one says little about others. setting: the key and value to name in the InputError
    if there are too few groups.
    """
    groups, distinct = pd.factorize(groups, sort=True)
    groups = groups.astype(np.min_scalar_type(-len(distinct)))
    of_class = [np.bincount(groups[labels == label], minlength=len(distinct)) for label in (0, 1)]
    patches = np.stack(of_class, axis=1)  # groups×classes
    has = patches > 0
    status = np.stack([has[:, 1], ~has[:, 1]], axis=1)[:, [has[:, 1].any(), not has[:, 1].all()]]
    counts = np.concatenate([patches, status], axis=1)
    total, with_class = counts.sum(axis=0), has.sum(axis=0)
    weights = np.where(np.arange(len(total)) < 2, 1.0, STATUS_WEIGHT)
    wanted = np.minimum(2, with_class // sides)  # groups with each class on every side
    rng = np.random.default_rng(seed)
    smallest, drawn_groups = np.inf, None
    for _ in range(DRAWS):
        order = rng.permutation(len(counts))
        distance = np.square(counts[order].cumsum(axis=0) / total - fraction) @ weights
        drawn = has[order].cumsum(axis=0)
        short = np.maximum(wanted - drawn, 0) + np.maximum(wanted * (sides - 1) - (with_class - drawn), 0)
        distance += len(total) * short.sum(axis=1)  # more than any distance
        distance[((drawn == 0) | (drawn == with_class)).any(axis=1)] = (
            np.inf
        )  # a class is missing on one side
        stop = distance.argmin()
        if distance[stop] < smallest:
            smallest, drawn_groups = distance[stop], order[: stop + 1]
        # Half a patch of each class, and half a group with and without positives: no order can be nearer.
        if smallest <= np.square(0.5 / total) @ weights:
            break
    if drawn_groups is None:
        raise InputError(
            f"{setting} is impossible: there are too few groups of patches ({len(counts)}) to have both "
            "classes on both sides"
        )
    drawn = np.isin(np.arange(len(distinct)), drawn_groups)[groups]
    if abs(drawn.mean() / fraction - 1) > TOLERANCE:
        logging.warning(
            "%s: drew %.1f %% of the patches instead of %.1f %%, as groups stay whole and every part needs "
            "some of both classes", setting, 100 * drawn.mean(), 100 * fraction,
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
    fold = np.full(len(labels), folds - 1, np.int16)
    if groups is None:
        splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
        for k, (_, validation) in enumerate(splitter.split(labels, labels)):
            fold[validation] = k
        return fold
    rest = np.ones(len(labels), bool)
    for k in range(folds - 1):
        sides = folds - k
        drawn = draw_groups(labels[rest], groups[rest], 1 / sides, sides, seed, f"folds: {folds}")
        chosen = _within(rest, drawn)
        fold[chosen] = k
        rest &= ~chosen
    return fold
