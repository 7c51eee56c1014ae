"""The splits of CLAM (Lu et al., Nature Biomedical Engineering 2021): a column of slides for each part.

`splits_0.csv` and the like; patches follow by their slide.
"""

import pandas as pd

from histopatch.data.names import quote
from histopatch.data.tables import Column, read_columns
from histopatch.data.units import spelling
from histopatch.errors import InputError
from histopatch.given_splits.source import HEADER, Source
from histopatch.given_splits.split import PATCHES, GivenSplit

PARTS = ("train", "val", "test")
EXAMPLES = 3


def read_lists(path: str) -> pd.DataFrame | None:
    """`slide,fold` as a table of CLAM lists them; None for a table of another kind."""
    table = read_columns(path, {part: Column(HEADER, [part], required=False) for part in PARTS})
    parts = [part for part in PARTS if part in table]
    if len(parts) < 2:
        return None
    lists = table.melt(value_vars=parts, var_name="fold", value_name="slide")
    lists = lists[lists.slide != ""].drop_duplicates()
    if lists.empty:
        raise InputError(f"{path}: no slide is listed below {', '.join(map(repr, parts))}; name some there")
    if {*lists.slide} <= {"True", "False"}:
        raise InputError(f"{path}: it marks slides by True and False; take the file that lists their names")
    return lists


def follow_slides(path: str, lists: pd.DataFrame, source: Source) -> GivenSplit:
    """The split of the patches whose slides are listed.

    A slide is what `source` says, or else the folder of its name that an image lies in. Raises InputError
    where no patch is of a listed slide.
    """
    listed = lists.assign(spelled=spelling(lists.slide))
    facts = source.facts.rename_axis("id").reset_index()
    if (facts.slide == "").all():
        facts["slide"] = _folders(facts.id, {*listed.spelled})
    facts["spelled"] = spelling(facts.slide)
    patches = facts.merge(listed[["spelled", "fold"]].drop_duplicates(), on="spelled")
    if patches.empty:
        found = facts.slide[facts.slide != ""]
        theirs = f"slides are called like {quote(found.iloc[0])}" if len(found) else "no slide is known"
        raise InputError(
            f"{path}: no patch is of a listed slide, such as {quote(listed.slide.iloc[0])}; in "
            f"{source.images.where} {theirs}: give SLIDES, a table id,slide, or put the patches "
            "of each slide into a folder of its name"
        )
    return GivenSplit(path, source.images, patches[PATCHES], tuple(_left_out(listed, facts)))


def _folders(ids: pd.Series, listed: set[str]) -> list[str]:
    """The folder above each image that is called like a listed slide, or nothing.

    listed: in the plain `spelling`.
    """
    folders = {id_.rpartition("/")[0] for id_ in ids}
    slide_of = {}
    for folder in folders:
        names = pd.Series(folder.split("/"))
        fitting = names[spelling(names).isin(listed)]
        slide_of[folder] = fitting.iloc[-1] if len(fitting) else ""
    return [slide_of[id_.rpartition("/")[0]] for id_ in ids]


def _left_out(listed: pd.DataFrame, facts: pd.DataFrame) -> list[str]:
    """Slides without patches, and patches without a listed slide, in a phrase each."""
    notes = []
    empty = listed[~listed.spelled.isin(facts.spelled)].drop_duplicates("spelled")
    if len(empty):
        examples = ", ".join(map(quote, empty.slide[:EXAMPLES]))
        notes.append(f"listed slides without a patch: {len(empty):,}, such as {examples}")
    others = facts[~facts.spelled.isin(listed.spelled)]
    if len(others):
        example = quote(others.id.iloc[0])
        notes.append(f"patches of no listed slide, which are left out: {len(others):,}, such as {example}")
    return notes
