"""Units of sampling: the slides and patients that patches are from. Patches of one unit resemble each other.

A unit is known by its name. Names that differ only by case or a trailing `.0`, which spreadsheets and
databases change on their own, count as one.
"""

import numpy as np
import pandas as pd

UNITS = ("patient", "slide")  # the coarsest first


def spelling(names: pd.Series) -> pd.Series:
    """Names without their case and a trailing `.0`: what is equal here is one unit."""
    codes, distinct = pd.factorize(names)
    return (
        pd.Series(distinct).str.casefold().str.replace(r"\.0+$", "", regex=True)[codes].set_axis(names.index)
    )


def called(names: pd.Series) -> pd.Series:
    """Names with those of one unit made the same: the first that it has."""
    return names.groupby(spelling(names)).transform("first")


def similar_names(names: pd.Series) -> list[list[str]]:
    """The names that differ only by case or a trailing `.0`, each unit's together."""
    names = pd.Series(np.asarray(names[names != ""].unique(), object))
    spelled = [sorted(same) for _, same in names.groupby(spelling(names)) if len(same) > 1]
    return sorted(spelled)


def describe_similar(unit: str, similar: list[list[str]]) -> str:
    """Names from `similar_names` in a phrase, with one example. unit: `slide` or `patient`."""
    count = sum(map(len, similar))
    example = ", ".join(map(repr, similar[0]))
    return f"{count:,} {unit} names differ only by case or `.0`: {example}"


def units_of(patches: pd.DataFrame, by: str) -> np.ndarray:
    """The unit of each patch as a number. patches: `slide` and `patient`, empty texts where unknown.

    by: `slide`, where a patch without one is a unit of its own; or `patient`, where a patch without one
    counts with the others of its slide.
    """
    count = len(patches)
    unit = np.arange(2 * count, 3 * count, dtype=np.int32 if count < 2**28 else np.int64)
    for place, name in enumerate(("slide", "patient") if by == "patient" else ("slide",)):
        known = (patches[name] != "").to_numpy()
        codes, distinct = pd.factorize(patches[name])
        unit_of = pd.factorize(spelling(pd.Series(np.asarray(distinct, object))))[0]
        unit[known] = place * count + unit_of[codes[known]]
    return unit
