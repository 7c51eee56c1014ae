import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from histopatch.files import read_table
from histopatch.prediction.table import write_predictions

MODEL = {
    "labels": {"0": "negative", "1": "tumour"},
    "recalibration": {"intercept": -0.7, "slope": 1.6},
    "operating_points": {
        "youden": {
            "chosen_for": "Youden's J", "chosen_on": "validation patches", "threshold": 0.4,
            "abstaining": {"0.1": 0.05, "0.3": 0.2},
        }
    },
    "appearance": {"no_tissue": 0.004, "quantiles": {"0.95": 3.0, "0.99": 4.0}},
}  # fmt: skip
PROBABILITIES = [0.25, 0.38, 0.4, 0.44, 0.9, np.nan]
KEYS = {"file": [f"{n}.png" for n in range(6)], "row": -1, "bytes": 9, "modified": 1}


@pytest.fixture
def predictions(tmp_path):
    """Write the predictions of six patches in two shards, the last of which is no image."""

    def write(
        model=MODEL, abstain="0.1", labels=None, distances=(1, 2, 3, 4, 5, 0), probabilities=PROBABILITIES
    ):
        description, listing, table, summary = (
            str(tmp_path / name) for name in ("model.json", "input.csv", "predictions.csv", "summary.txt")
        )
        Path(description).write_text(json.dumps(model))
        listed = pd.DataFrame({"id": [*"abcdef"], **KEYS, "shard": [0, 1, 0, 0, 1, 1]})
        given = listed if labels is None else listed.assign(label=labels)
        given.to_csv(listing, index=False)
        found = listed.drop(columns="shard").assign(
            probability=probabilities,
            appearance_distance=np.where(np.isnan(probabilities), np.nan, distances),
            reason=np.where(np.isnan(probabilities), "unreadable: empty", ""),
        )
        stale = found[:1].assign(modified=0, probability=0.99)  # of a file that has changed since
        shards = [str(tmp_path / f"{number}.csv") for number in (0, 1)]
        pd.concat([stale, found[listed.shard == 0]]).to_csv(shards[0], index=False)
        found[listed.shard == 1].to_csv(shards[1], index=False)
        write_predictions(description, listing, shards, "youden", abstain, table, summary)
        return read_table(table), Path(summary).read_text().splitlines()

    return write


def test_a_row_for_each_patch_in_the_order_of_the_input(predictions):
    table, _ = predictions()
    assert table.id.tolist() == [*"abcdef"]
    assert np.allclose(table.probability, PROBABILITIES, equal_nan=True)
    assert "label" not in table


def test_calls_are_made_at_the_threshold(predictions):
    table, lines = predictions()
    assert table.call[:5].tolist() == [0, 0, 1, 1, 1]
    assert lines[1] == (
        "3 of 5 are called tumour, at the threshold 0.4000 for Youden's J, chosen on validation patches."
    )


@pytest.mark.parametrize(("abstain", "near"), [("0", ""), ("0.1", "bcd"), ("0.3", "abcd")])
def test_doubtful_patches_are_those_near_the_threshold(predictions, abstain, near):
    table, lines = predictions(abstain=abstain)
    assert "".join(table.id[table.abstained == True]) == near  # noqa: E712, the last is missing
    assert ("abstained" in " ".join(lines)) == (abstain != "0")


def test_recalibrated_probabilities_stand_beside_those_that_calls_are_made_from(predictions):
    table, _ = predictions()
    wanted = expit(-0.7 + 1.6 * logit(np.array(PROBABILITIES[:5])))
    assert np.allclose(table.recalibrated_probability[:5], wanted)
    ranks, _ = predictions(MODEL | {"recalibration": None})
    assert "recalibrated_probability" not in ranks


def test_a_patch_that_could_not_be_used_has_a_reason_and_nothing_else(predictions, caplog):
    table, lines = predictions()
    assert table.reason.tolist()[-1] == "unreadable: empty"
    assert table.reason[:5].isna().all()
    others = ["probability", "recalibrated_probability", "call", "abstained", "looks_unlike_training"]
    assert table.loc[5, others].isna().all()
    assert lines[0] == "6 patches, of which 1 could not be used (column `reason`)."
    assert "1 of 6 patches could not be used, such as 'f': unreadable: empty" in caplog.text


def test_patches_beyond_the_quantile_look_unlike_the_training(predictions, caplog):
    table, lines = predictions()
    assert table.looks_unlike_training[:5].tolist() == [False, False, False, False, True]
    line = "1 of 5 patches (20.0 %) look unlike what the model was trained on"
    assert any(text.startswith(line) for text in lines)
    assert [record.levelno for record in caplog.records if line in record.message] == [logging.WARNING]


@pytest.mark.parametrize(("share", "unlike"), [(0.004, True), (0.03, False)])
def test_a_patch_without_tissue_is_as_unusual_as_in_the_training(predictions, share, unlike):
    appearance = MODEL["appearance"] | {"no_tissue": share}
    table, _ = predictions(MODEL | {"appearance": appearance}, distances=[np.nan, 2, 3, 4, 5, 0])
    assert table.looks_unlike_training[:5].tolist() == [unlike, False, False, False, True]


def test_usual_patches_cause_no_warning(predictions, caplog):
    _, lines = predictions(distances=[1, 2, 3, 2, 1, 0])
    assert any(text.startswith("0 of 5 patches (0.0 %) look unlike") for text in lines)
    assert "unlike" not in caplog.text


def test_labels_are_compared_with(predictions):
    table, lines = predictions(labels=["0", "1", "1", "0", "1", "0"])
    assert table.label.tolist() == [0, 1, 1, 0, 1, 0]
    # Of the six pairs, (b, d) and (c, d) are in the wrong order.
    assert lines[-1].startswith("5 patches have a label, 3 of them 1: AUROC 0.6667 (")
    assert "sensitivity 0.667 (" in lines[-1] and "specificity 0.500 (" in lines[-1]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["", "", "", "", "", "1"], None),
        (["1", "1", "", "", "", ""], "2 patches have a label, 2 of them 1: an AUROC"),
    ],
)
def test_labels_that_are_missing_or_all_the_same(predictions, labels, words):
    _, lines = predictions(labels=labels)
    assert lines[-1].startswith(words) if words else "label" not in lines[-1]


def test_an_input_in_which_nothing_can_be_used(predictions):
    table, lines = predictions(probabilities=[np.nan] * 6)
    assert table.reason.notna().all() and table.call.isna().all()
    assert lines == ["6 patches, of which 6 could not be used (column `reason`)."]
