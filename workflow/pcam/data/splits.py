"""Splits: which patches train and which validate.

A split gives each patch a fold. A training on fold k validates on the patches of fold k and trains on all
others; patches of fold -1 only ever train. A holdout has one fold, 0.
"""

import logging

import pandas as pd
from sklearn.model_selection import train_test_split

from pcam.errors import InputError
from pcam.files import write_table

TRAIN_ONLY = -1


def split_files(labels: str, slides: str | None, rules: dict, split: str) -> None:
    """Split the clean labels (CSV `id,label`) into a table `id,label,slide,fold`.

    slides: CSV `id,slide` or None, which leaves the column empty. rules: `validation_fraction`, `seed`.
    """
    table = pd.read_csv(labels, dtype={"id": str})
    table["slide"] = _slides(table.id, slides) if slides else ""
    table["fold"] = holdout(table.label, rules["validation_fraction"], rules["seed"])
    write_table(table, split)
    counts = table.groupby("fold").label.agg(["size", "mean"])
    for fold, (size, positive) in counts.iterrows():
        part = "training" if fold == TRAIN_ONLY else f"fold {fold}"
        logging.info("%s: %d patches, %.1f %% positive", part, size, 100 * positive)


def holdout(labels: pd.Series, fraction: float, seed: int) -> pd.Series:
    """Fold of each patch: a stratified draw of `fraction` validates (fold 0), the rest trains (fold -1).

    The same draw as scikit-learn's `train_test_split(..., stratify=labels)` on the rows in file order.
    """
    try:
        _, validation = train_test_split(labels.index, test_size=fraction, random_state=seed, stratify=labels)
    except ValueError as error:  # too few patches of a class for the fraction
        raise InputError(f"splits.validation_fraction: {fraction} is impossible: {error}") from None
    return pd.Series(TRAIN_ONLY, index=labels.index).where(~labels.index.isin(validation), 0)


def _slides(ids: pd.Series, path: str) -> pd.Series:
    slide_of = pd.read_csv(path, dtype=str)
    for column in ("id", "slide"):
        if column not in slide_of:
            raise InputError(f"{path}: there is no column {column!r}; the first line must name `id,slide`")
    doubled = slide_of.id[slide_of.id.duplicated()]
    if len(doubled):
        raise InputError(f"{path}: the id {doubled.iloc[0]!r} stands there twice; keep one row")
    slides = ids.map(slide_of.set_index("id").slide)
    if slides.isna().any():
        raise InputError(
            f"{path}: {slides.isna().sum()} of {len(ids)} patches have no slide, the first is "
            f"{ids[slides.isna()].iloc[0]!r}; add them or leave dataset.slides out"
        )
    return slides
