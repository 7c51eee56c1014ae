"""The predictions that a run kept, with the slides of the patches where those are known."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from pcam.files import read_table


class Kept(NamedTuple):
    """The predictions of a run on its validation part, N patches in the order of the split."""

    ids: np.ndarray
    labels: np.ndarray  # 0 and 1
    probabilities: np.ndarray  # of 1
    slides: np.ndarray | None  # None where they are not known


def read_slides(split: str | Path) -> pd.Series | None:
    """The slide of each patch by its id, or None where the split (`id,label,slide,fold`) knows none."""
    slides = read_table(split).set_index("id").slide
    return None if slides.isna().any() else slides


def read_kept(predictions: str | Path, slides: pd.Series | None) -> Kept:
    """Read `id,label,probability`; slides: as `read_slides` gives them."""
    table = read_table(predictions)
    of_patches = None if slides is None else slides.loc[table.id].to_numpy()
    return Kept(table.id.to_numpy(), table.label.to_numpy(), table.probability.to_numpy(), of_patches)
