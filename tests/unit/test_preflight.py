"""What is said before any job."""

import numpy as np
import pytest
from PIL import Image

from histopatch.config import load
from histopatch.errors import InputError
from histopatch.experiment import Experiment, read_experiment
from histopatch.preflight import check_inputs


@pytest.fixture
def experiment(tmp_path):
    """An experiment on four patches of two slides, with parts of its configuration replaced."""
    (tmp_path / "train").mkdir()
    for number in range(4):
        pixels = np.full((16, 16, 3), 40 * number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"train/p{number}.png")
    labels = "".join(f"p{number},{number % 2}\n" for number in range(4))
    (tmp_path / "train_labels.csv").write_text(f"id,label\n{labels}")
    slides = "".join(f"p{number},s{number // 2}\n" for number in range(4))
    (tmp_path / "slides.csv").write_text(f"id,slide\n{slides}")

    kaggle = {"format": "kaggle", "root": str(tmp_path)}

    def experiment(dataset: dict | None = None, **parts) -> Experiment:
        section = {
            "dataset": dataset or kaggle,
            "studies": {"first": {"runs": {"plain": {}}}},
            "final": {"study": "first"},
            **parts,
        }
        config = load({"experiment": "mine", "experiments": {"mine": section}})
        return read_experiment("mine", config["experiments"]["mine"])

    return experiment


def fault(experiment: Experiment) -> str:
    """The one line that says what is wrong."""
    with pytest.raises(InputError) as caught:
        check_inputs(experiment)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_grouping_by_slides_needs_a_slide_map(experiment, tmp_path):
    splits = {"main": {}, "honest": {"group_by": "slide"}}
    message = fault(experiment(splits=splits))
    assert message.startswith("experiments.mine.splits.honest.group_by: no slide is known")
    assert "dataset.slides" in message
    dataset = {"format": "kaggle", "root": str(tmp_path), "slides": str(tmp_path / "slides.csv")}
    check_inputs(experiment(dataset, splits=splits))
    # A synthetic data set has slides of its own.
    check_inputs(experiment({"format": "synthetic"}, splits=splits))


@pytest.mark.parametrize(
    ("parts", "where"),
    [
        ({"defaults": {"weights": "None"}}, "studies.first.plain"),
        ({"studies": {"first": {"grid": {"weights": ["imagenet", "None"]}}}}, "studies.first.weights=None"),
        ({"final": {"study": "first", "overrides": {"weights": "None"}}}, "final.overrides"),
    ],
)
def test_initial_weights_that_are_not_there_are_named_before_any_job(experiment, parts, where):
    message = fault(experiment({"format": "synthetic"}, **parts))
    assert message.startswith(f"experiments.mine.{where}.weights: 'None' is neither `imagenet`, `none` nor")
    assert message.endswith("did you mean `none`?")
