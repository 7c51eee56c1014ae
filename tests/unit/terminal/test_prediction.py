import re
from pathlib import Path

from terminal.prediction import DOING, Prediction

RULES = Path(__file__).parents[3] / "workflow/predict"


def test_a_shard_is_one_of_those_of_the_input():
    prediction = Prediction("out", [0, 7, 12])
    assert prediction.words("predict_patches", {"shard": "7"}) == "predicting the patches, part 2 of 3"
    assert prediction.words("predictions", {}) == "calling the patches"


def test_every_step_has_words():
    text = "".join(path.read_text() for path in RULES.glob("*.smk"))
    assert {*re.findall(r"^rule (\w+):", text, re.MULTILINE)} == {*DOING}


def test_the_summary_is_looked_at_first():
    first, second = Prediction("out", []).start_with()
    assert (str(first), str(second)) == ("out/summary.txt", "out/predictions.csv")
