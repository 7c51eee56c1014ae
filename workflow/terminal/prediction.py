"""A prediction of new images, as the terminal tells of it."""

from collections.abc import Collection, Mapping
from pathlib import Path

# By rule.
DOING = {
    "predict_patches": "predicting the patches, part {number} of {total}",
    "predictions": "calling the patches",
}


class Prediction:
    """The prediction of an input into a folder; shards: those that it consists of."""

    goes_on = ""

    def __init__(self, out: str, shards: Collection[int]):
        self.name, self.shards = out, sorted(shards)

    def words(self, rule: str, wildcards: Mapping[str, str]) -> str:
        named = dict(wildcards)
        if "shard" in named:
            named |= {"number": self.shards.index(int(named["shard"])) + 1, "total": len(self.shards)}
        return DOING[rule].format(**named)

    def epochs(self, wildcards: Mapping[str, str]) -> int:
        return 0  # it trains nothing

    def start_with(self) -> list[Path]:
        return [Path(self.name, file) for file in ("summary.txt", "predictions.csv")]
