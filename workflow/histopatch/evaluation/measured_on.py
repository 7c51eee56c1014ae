"""What the figures of a split speak about: said beside every number that comes of it."""

# Short, for a column of a table: the kind of patches that a run is measured on.
MEASURED_ON = {
    "none": "random patches: expect less on new slides",
    "slide": "unseen slides",
    "appearance": "unseen appearance, a stand-in for slides",
}
# In a sentence that begins with the name of the split.
SENTENCES = {
    "none": "draws patches at random: expect less on slides that are new to a model.",
    "slide": "keeps each slide on one side: its models validate on slides that they have not seen.",
    "appearance": (
        "keeps patches that were stained and scanned alike on one side: a stand-in for slides, which shows "
        "what a model loses on an appearance that it has not seen."
    ),
}


def validated_on(rules: dict) -> str:
    """The kind of patches that the runs of a split, given as configured, are measured on."""
    return MEASURED_ON[rules["group_by"]]


def describe_split(name: str, rules: dict) -> str:
    """What a split does, in a line or two."""
    parts = [f"Split `{name}` {SENTENCES[rules['group_by']]}"]
    if rules["group_by"] == "slide" and rules["unmapped"] == "own_group":
        parts.append("Patches without a slide count as slides of their own.")
    if rules["folds"] > 1:
        parts.append(
            f"Each of its {rules['folds']} folds validates once; a figure is over the pooled predictions."
        )
    if rules["held_out_fraction"]:
        parts.append(f"{rules['held_out_fraction']:.0%} of the patches are held out of every choice.")
    return " ".join(parts)
