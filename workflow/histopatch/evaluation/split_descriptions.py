"""What a split means for the numbers measured on it, in words that stand beside those numbers."""

import pandas as pd

from histopatch.data.folds import HELD_OUT
from histopatch.data.units import UNITS, spelling
from histopatch.settings import Split

# By `group_by`: which patches a run is evaluated on, short enough for a column of a table.
EVALUATED_ON = {
    "none": "random patches: expect less on new slides",
    "slide": "unseen slides",
    "patient": "unseen patients",
    "appearance": "unseen appearance, a stand-in for slides",
}
# What is added for a run with early stopping.
CHOSEN = "; its epoch was chosen on them, which flatters it"
# By `group_by`, in a sentence that begins with the name of the split.
SENTENCES = {
    "none": "draws patches at random: expect less on slides that a model has not seen.",
    "slide": "keeps each slide on one side: models are validated on slides that they have not seen.",
    "patient": (
        "keeps all slides of a patient on one side: models are validated on patients that they have not seen."
    ),
    "appearance": (
        "keeps patches with the same staining and scanner on one side: a stand-in for slides, which shows "
        "how much a model loses on an appearance that it has not seen."
    ),
}
# By `group_by`: what becomes of patches without one with `unmapped: own_group`.
OWN = {
    "slide": "count as slides of their own",
    "patient": "count as patients of their own, those of a slide together",
}
OWN_GROUP = "count as groups of their own, those of a patient or slide together"
# By `group_by`: how parts that are not given are drawn.
GROUPED = {
    "none": "patch by patch",
    "slide": "by whole slides",
    "patient": "by whole patients",
    "appearance": "by whole groups of the same staining and scanner",
}


def evaluated_on(split: Split, patches: pd.DataFrame) -> str:
    """Which kind of patches the runs of a split are evaluated on.

    patches: the split, as `read_sides` returns it. A split that the data set gives promises nothing: what its
    parts share is looked up there.
    """
    if split.parts == "drawn" or split.folds > 1:
        return _kind(split)
    known = patches[patches.fold != HELD_OUT]
    return (
        _new_to_training(known, known.fold == 0) or "the validation part of the split that the data set gives"
    )


def held_out_on(split: Split, patches: pd.DataFrame) -> str:
    """Which kind of patches the final model is evaluated on where some are held out; patches: likewise."""
    by_table = split.parts == "drawn" and split.group_by not in EVALUATED_ON
    kind = None if by_table else _new_to_training(patches, patches.fold == HELD_OUT)
    if kind is None:
        return "the held-out part of the data set" if split.parts == "given" else _kind(split)
    return kind


def _sentence(split: Split) -> str:
    name = split.group_by
    by_table = (
        f"keeps all patches with the same {name} on one side: models are validated on values of {name} that "
        "they have not seen."
    )
    return SENTENCES.get(name, by_table)


def _drawn_by(split: Split) -> str:
    return GROUPED.get(split.group_by, f"by whole groups of the same {split.group_by}")


def _kind(split: Split) -> str:
    """By what is kept together; any other name is that of a column of `dataset.groups`."""
    return EVALUATED_ON.get(split.group_by, f"unseen {split.group_by}")


def _new_to_training(patches: pd.DataFrame, evaluated: pd.Series) -> str | None:
    """What is new about some patches (N booleans): patients, slides or neither; None if unknown."""
    text = None
    for unit in UNITS:
        names = patches[unit].astype(object).fillna("") if unit in patches else pd.Series("", patches.index)
        theirs, others = (set(spelling(names[side & (names != "")])) for side in (evaluated, ~evaluated))
        if theirs and not theirs & others:
            unknown = (names[evaluated] == "").any()
            return f"unseen {unit}s" + (f", as far as {unit}s are known" if unknown else "")
        if theirs:
            text = f"{len(theirs & others)} of {len(theirs)} {unit}s were also trained on"
    return text


def in_short(evaluated_on: str) -> str:
    """Which patches a run is evaluated on, without what to expect of them."""
    return evaluated_on.partition(":")[0].partition(";")[0]


def describe_split(name: str, split: Split) -> str:
    """Describe a split in a few sentences."""
    if split.parts == "given":
        sentences = [
            f"Split `{name}` takes the parts that the data set itself gives; the audit says what they share.",
            f"What it does not give is drawn from its training patches, {_drawn_by(split)}.",
        ]
    else:
        sentences = [f"Split `{name}` {_sentence(split)}"]
    if (
        split.group_by not in ("none", "appearance")
        and split.unmapped == "own_group"
        and split.parts == "drawn"
    ):
        sentences.append(f"Patches without a {split.group_by} {OWN.get(split.group_by, OWN_GROUP)}.")
    if split.folds > 1:
        sentences.append(
            f"Each of its {split.folds} folds is the validation set once. AUROCs are means of those within "
            "the folds, all other metrics are over the pooled predictions."
        )
    if split.held_out_fraction:
        of = "training patches" if split.parts == "given" else "patches"
        sentences.append(
            f"About {100 * split.held_out_fraction:g} % of the {of}, in whole patients or slides where these "
            "are known, are held out: no training and no choice on this split uses them."
        )
    return " ".join(sentences)
