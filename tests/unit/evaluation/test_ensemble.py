import numpy as np
import pandas as pd
import pytest

from histopatch.evaluation.ensemble import Pooled, gain, read_held_out, read_validation
from histopatch.evaluation.predictions import known_patches
from histopatch.statistics.auroc import contrasts_by_slide, delong_contrasts
from histopatch.statistics.ensembles import Ensemble

MEMBERS = [{"run": name, "final_folder": f"{name}-final", "value": 0.9} for name in "ab"]


@pytest.fixture
def table(tmp_path):
    """Write predictions of patches and return their path."""

    def write(name: str, ids: str, **columns) -> str:
        rng = np.random.default_rng(len(name))
        columns = columns or {"probability": rng.random(len(ids))}
        path = tmp_path / f"{name}.csv"
        pd.DataFrame({"id": [*ids], "label": [ord(i) % 2 for i in ids], **columns}).to_csv(path, index=False)
        return str(path)

    return write


@pytest.fixture
def patches(tmp_path):
    """Four patches of a split, without slides."""
    (tmp_path / "split.csv").write_text("id,label,slide,fold\na,1,,0\nb,0,,0\nc,1,,0\nd,0,,0\n")
    with known_patches(tmp_path / "split.csv") as known:
        yield known


def test_validation_predictions_are_of_one_training_of_each_member(table, patches):
    """Members side by side, the folds of each in order."""
    first, second = {"probability": [0.1, 0.2]}, {"probability": [0.5, 0.8]}
    paths = [
        table("a0", "dc", **first), table("a1", "ab", **second),
        table("b0", "cd", probability=[0.4, 0.3]), table("b1", "ab", probability=[0.7, 0.2]),
    ]  # fmt: skip
    pooled = read_validation(paths, Ensemble(2), patches)
    assert [*pooled.together.places] == [0, 1, 2, 3]
    assert [*pooled.together.folds] == [1, 1, 0, 0]
    assert pooled.alone[0].probabilities == pytest.approx([0.5, 0.8, 0.2, 0.1])
    assert pooled.alone[1].probabilities == pytest.approx([0.7, 0.2, 0.4, 0.3])
    assert pooled.together.probabilities == pytest.approx([0.6, 0.5, 0.3, 0.2])


def test_held_out_predictions_have_a_column_of_each_member(table, patches):
    path = table("held", "ba", probability=[0.5, 0.4], member_1=[0.6, 0.2], member_2=[0.4, 0.6])
    together, alone = read_held_out(path, Ensemble(2), patches)
    assert together.probabilities == pytest.approx([0.4, 0.5])
    assert [member.probabilities.tolist() for member in alone] == [[0.2, 0.6], [0.6, 0.4]]
    single = read_held_out(path, Ensemble(), patches)
    assert single.alone[0] is single.together


@pytest.mark.parametrize("slides", [None, 8])
def test_the_gain_is_paired_with_the_first_member(predictions, slides):
    """By slide where slides are known, else by DeLong's test."""
    one, two, both = (predictions(200, slides, seed=0) for _ in range(3))
    rng = np.random.default_rng(3)
    two = two._replace(probabilities=np.clip(one.probabilities + rng.normal(0, 0.2, 200), 0, 1))
    both = both._replace(probabilities=(one.probabilities + two.probabilities) / 2)
    found = gain(Pooled(both, [one, two]), MEMBERS)["gain"]
    models, weights = [both.probabilities, one.probabilities], [[1, -1]]
    if slides is None:
        (expected,) = delong_contrasts(one.labels, models, weights)
    else:
        (expected,) = contrasts_by_slide(one.labels, models, weights, one.slides)
    names = ["auc_difference", "auc_difference_low", "auc_difference_high", "p_value"]
    assert [found[name] for name in names] == pytest.approx([*expected])
    assert found["auc_difference"] != 0
    assert (found["over"], found["test"]) == ("a", "slide jackknife" if slides else "DeLong")
