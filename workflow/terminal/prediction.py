"""A prediction of new images, as the terminal tells of it."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

# By rule.
DOING = {
    "predict_patches": "predicting the patches, part {number} of {total}",
    "predictions": "calling the patches",
    "predict_slide": "predicting the slide `{slide}`, {number} of {total}",
    "slides": "scoring the slides",
}


class Prediction:
    """The prediction of an input into a folder; shards, slides: those that it consists of."""

    goes_on = ""

    def __init__(self, out: str, shards: Collection[int], slides: Sequence[str] = ()):
        self.name, self.shards, self.slides = out, sorted(shards), slides

    def words(self, rule: str, wildcards: Mapping[str, str]) -> str:
        named = dict(wildcards)
        if "shard" in named:
            named |= {"number": self.shards.index(int(named["shard"])) + 1, "total": len(self.shards)}
        if "slide" in named:
            named |= {"number": self.slides.index(named["slide"]) + 1, "total": len(self.slides)}
        return DOING[rule].format(**named)

    def epochs(self, wildcards: Mapping[str, str]) -> int:
        return 0  # it trains nothing

    def start_with(self) -> list[Path]:
        table = "slides.csv" if self.slides else "predictions.csv"
        return [Path(self.name, file) for file in ("summary.txt", table)]
