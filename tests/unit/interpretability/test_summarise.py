import numpy as np
import pandas as pd
import pytest

from histopatch.evaluation.predictions import Predictions
from histopatch.interpretability.summarise import summarise


def table(shares, labels=(0, 0, 1, 1), centre=(1, 1, 1, 1), border=(1, 1, 1, 1)) -> pd.DataFrame:
    """Attributions; centre and border: changes of the logit without them."""
    logit = np.array([0.5, -1.0, 2.0, 3.0])
    return pd.DataFrame(
        {
            "label": labels,
            "centre_share": shares,
            "logit": logit,
            "logit_without_centre": logit + centre,
            "logit_without_border": logit + border,
        }
    )


def predictions(slides=None) -> Predictions:
    slides = None if slides is None else np.array(slides)
    return Predictions(np.arange(4), np.array([0, 0, 1, 1]), np.ones(4), slides, np.zeros(4, int))


def test_shares_are_averaged_over_all_and_over_each_class():
    found = summarise(table([0.1, 0.2, 0.4, 0.6]), predictions(), 96)
    assert {name: mean["mean"] for name, mean in found["grad_cam"].items()} == pytest.approx(
        {"all": 0.325, "negative": 0.15, "positive": 0.5}
    )
    assert found["grad_cam"]["all"]["sd"] == pytest.approx(np.std([0.1, 0.2, 0.4, 0.6], ddof=1))
    assert (found["patches"], found["positive"], found["patch_size"], found["centre_size"]) == (4, 2, 96, 32)
    assert found["area_share"] == pytest.approx(1 / 9)
    assert found["interval"] == "by patch"


def test_patches_without_evidence_do_not_count():
    found = summarise(table([0.1, np.nan, 0.4, np.nan]), predictions(), 96)["grad_cam"]
    assert (found["all"]["mean"], found["all"]["patches"]) == (pytest.approx(0.25), 2)
    assert found["positive"] is None


def test_changes_count_up_and_down_and_the_share_is_that_of_their_means():
    changed = table([0.5] * 4, centre=(1, -2, 0, 0), border=(-3, 4, 0, 10))
    found = summarise(changed, predictions(), 96)
    assert found["change_without_centre"]["mean"] == pytest.approx(3 / 4)
    assert found["change_without_border"]["mean"] == pytest.approx(17 / 4)
    assert found["occlusion"]["all"]["mean"] == pytest.approx(3 / 20)
    assert found["occlusion"]["all"]["patches"] == 3  # the third is moved by nothing
    assert found["occlusion"]["negative"]["mean"] == pytest.approx(3 / 10)


def test_a_class_on_a_single_slide_has_no_interval():
    found = summarise(table([0.1, 0.12, 0.6, 0.62]), predictions(["s", "t", "u", "u"]), 96)
    positive = found["grad_cam"]["positive"]
    assert (positive["low"], positive["high"]) == (0, 1)
    found = summarise(table([0.1, 0.12, 0.6, 0.62]), predictions(["s"] * 4), 96)
    assert found["change_without_centre"]["high"] is None


def test_the_interval_is_by_slide_where_slides_are_known():
    shares = [0.1, 0.12, 0.6, 0.62]
    by_patch = summarise(table(shares), predictions(), 96)
    by_slide = summarise(table(shares), predictions(["s", "s", "t", "t"]), 96)
    assert by_slide["interval"] == "by slide"
    assert by_slide["grad_cam"]["all"]["high"] == 1 > by_patch["grad_cam"]["all"]["high"]
    assert by_slide["grad_cam"]["all"]["low"] == 0  # a share has limits
