"""Groups: which patches must stay on one side of a split, because they are alike for reasons of their own."""

import numpy as np
import pandas as pd

from pcam.data.appearance import FEATURES, cluster
from pcam.errors import InputError
from pcam.files import read_table


def group_patches(table: pd.DataFrame, rules: dict, appearance: str | None) -> np.ndarray | None:
    """The group of each patch as a number, or None where every patch is a group of its own.

    table: `id,slide`; rules: `group_by` none, `slide` or `appearance`, `appearance_clusters`, `seed`;
    appearance: the measurements of the pack. A patch without a slide is a group of its own.
    """
    if rules["group_by"] == "slide":
        return slide_groups(table.slide)
    if rules["group_by"] == "appearance":
        looks = read_table(appearance).set_index("id")[FEATURES].loc[table.id]
        return cluster(looks, rules["appearance_clusters"], rules["seed"])
    return None


def slide_groups(slides: pd.Series) -> np.ndarray:
    """The slides as numbers; a patch without one has a number of its own."""
    if (slides == "").all():
        raise InputError("splits.group_by: there are no slides to group by; name them in dataset.slides")
    number, _ = pd.factorize(slides)
    return np.where(slides == "", len(slides) + np.arange(len(slides)), number)


def read_slides(ids: pd.Series, path: str, unmapped: str) -> pd.Series:
    """The slide of each patch from CSV `id,slide`; the empty text where there is none.

    unmapped: `stop` refuses patches without a slide, `own_group` leaves them without one.
    """
    slide_of = read_table(path)
    for column in ("id", "slide"):
        if column not in slide_of:
            raise InputError(f"{path}: there is no column {column!r}; the first line must name `id,slide`")
    doubled = slide_of.id[slide_of.id.duplicated()]
    if len(doubled):
        raise InputError(f"{path}: the id {doubled.iloc[0]!r} stands there twice; keep one row")
    slides = ids.map(slide_of.set_index("id").slide)
    if unmapped == "stop" and slides.isna().any():
        raise InputError(
            f"{path}: {slides.isna().sum()} of {len(ids)} patches have no slide, the first is "
            f"{ids[slides.isna()].iloc[0]!r}; add them, or set splits.unmapped to `own_group`"
        )
    return slides.fillna("")
