"""What a split means for the numbers measured on it, in words that stand beside those numbers."""

from histopatch.settings import Split

# By `group_by`: which patches a run is evaluated on, short enough for a column of a table.
EVALUATED_ON = {
    "none": "random patches: expect less on new slides",
    "slide": "unseen slides",
    "patient": "unseen patients",
    "appearance": "unseen appearance, a stand-in for slides",
}
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


def evaluated_on(split: Split) -> str:
    """Which kind of patches the runs of a split are evaluated on."""
    return "the validation part of the data set" if split.parts == "given" else EVALUATED_ON[split.group_by]


def describe_split(name: str, split: Split) -> str:
    """Describe a split in a few sentences."""
    if split.parts == "given":
        sentences = [
            f"Split `{name}` takes the parts that the data set itself gives; the audit says what they share."
        ]
    else:
        sentences = [f"Split `{name}` {SENTENCES[split.group_by]}"]
    if split.group_by == "slide" and split.unmapped == "own_group":
        sentences.append("Patches without a slide count as slides of their own.")
    if split.folds > 1:
        sentences.append(
            f"Each of its {split.folds} folds is the validation set once; metrics are computed on the pooled "
            "predictions."
        )
    if split.held_out_fraction:
        sentences.append(f"{split.held_out_fraction:.0%} of the patches are held out and used for no choice.")
    return " ".join(sentences)
