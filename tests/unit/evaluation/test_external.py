"""The final model on external data sets, with what was chosen on its own patches."""

import json

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
import statsmodels.api
from scipy.special import expit, logit

from histopatch.evaluation.external import external_tables
from histopatch.evaluation.external_words import describe_external
from histopatch.files import read_table
from histopatch.statistics.auroc import jackknife_by_slide
from histopatch.statistics.ensembles import Ensemble
from histopatch.statistics.proportions import korn_graubard, wilson

INTERCEPT, SLOPE = 0.7, 0.5
ALONE = Ensemble(members=1)
THRESHOLDS = {"sensitivity_95": 0.2, "youden": 0.4}


@pytest.fixture
def patches() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    count = 300
    table = pd.DataFrame({"id": [f"{n:03d}" for n in range(count)], "label": np.arange(count) // 6 % 2})
    table["slide"] = [f"s{n % 12}" for n in range(count)]
    return table.assign(probability=expit(1.5 * generator.normal(2 * table.label - 1)))


@pytest.fixture
def tables(tmp_path):
    """Both tables of data sets that are given by name."""

    def run(ensemble=ALONE, shared=0, **sets: pd.DataFrame):
        recalibration = {"intercept": INTERCEPT, "slope": SLOPE}
        (tmp_path / "metrics.json").write_text(json.dumps({"recalibration": recalibration}))
        points = pd.DataFrame({"point": THRESHOLDS.keys(), "threshold": THRESHOLDS.values()})
        points.to_csv(tmp_path / "points.csv", index=False)
        files = {}
        for name, patches in sets.items():
            kinds = {
                "patches": patches[["id", "label", "slide"]].assign(patient="", fold=-2),
                "predictions": patches.drop(columns="slide"),
                "shared": patches[["id"]][:shared].assign(
                    own_id="x", kind=["near", *["turned"] * shared][:shared]
                ),
            }
            files[name] = {kind: str(tmp_path / f"{name}-{kind}.csv") for kind in kinds}
            for kind, table in kinds.items():
                table.to_csv(files[name][kind], index=False)
        made = [str(tmp_path / name) for name in ("external.csv", "calls.csv")]
        external_tables(str(tmp_path / "metrics.json"), str(tmp_path / "points.csv"), files, ensemble, *made)
        return tuple(map(read_table, made))

    return run


def test_each_set_is_measured_by_slide(tables, patches):
    table, _ = tables(theirs=patches, other=patches.assign(slide=""))
    theirs, other = table.to_dict("records")
    expected = jackknife_by_slide(patches.label, patches.probability, patches.slide)
    assert theirs["auc"] == pytest.approx(sklearn.metrics.roc_auc_score(patches.label, patches.probability))
    assert (theirs["auc_low"], theirs["auc_high"]) == pytest.approx((expected.low, expected.high))
    assert (theirs["patches"], theirs["positive"], theirs["slides"]) == (300, 150, 12)
    assert pd.isna(other["slides"])
    assert other["auc_interval"] == "DeLong"


def test_thresholds_are_carried_over(tables, patches):
    _, calls = tables(theirs=patches, other=patches.assign(slide=""))
    assert [*calls.threshold] == [*THRESHOLDS.values()] * 2
    called, positive = patches.probability >= THRESHOLDS["youden"], patches.label == 1
    by_slide, by_patch = calls[calls.point == "youden"].to_dict("records")
    for row, expected in (
        (by_slide, korn_graubard(called & positive, positive, patches.slide)),
        (by_patch, wilson(int((called & positive).sum()), int(positive.sum()))),
    ):
        found = [row[f"sensitivity{suffix}"] for suffix in ("", "_low", "_high")]
        assert found == pytest.approx([expected.value, expected.low, expected.high])
    assert by_slide["specificity"] == pytest.approx((~called & ~positive).sum() / (~positive).sum())


def test_the_recalibration_is_carried_over(tables, patches):
    """Against logistic regression by statsmodels on the raw and on the recalibrated logits."""
    (row,) = tables(theirs=patches)[0].to_dict("records")
    raw = logit(patches.probability.to_numpy())
    for when, logits in (("", raw), ("_after", INTERCEPT + SLOPE * raw)):
        model = statsmodels.api.Logit(patches.label, statsmodels.api.add_constant(logits))
        assert row[f"slope{when}"] == pytest.approx(model.fit(disp=0).params.iloc[1], rel=1e-5)
        ones = np.ones(len(logits))
        binomial = statsmodels.api.families.Binomial()
        alone = statsmodels.api.GLM(patches.label, ones, binomial, offset=logits).fit()
        assert row[f"intercept{when}"] == pytest.approx(alone.params.iloc[0], abs=1e-6)
        assert row[f"brier{when}"] == pytest.approx(np.mean((expit(logits) - patches.label) ** 2))
        assert row[f"slope{when}_low"] < row[f"slope{when}"] < row[f"slope{when}_high"]


def test_mean_ranks_have_no_calibration(tables, patches):
    members = {"member_1": patches.probability, "member_2": patches.probability}
    table, calls = tables(Ensemble(members=2, average="rank"), theirs=patches.assign(**members))
    assert not {"slope", "intercept", "brier_after"} & {*table}
    assert "Calibration" not in " ".join(describe_external(table, calls))


def test_the_words_say_the_numbers(tables, patches):
    table, calls = tables(theirs=patches)
    text = "\n".join(describe_external(table, calls))
    row = table.iloc[0]
    assert f"| 300 | 150 | 12 | {row.auc:.4f} ({row.auc_low:.4f}–{row.auc_high:.4f}, slide jackknife)" in text
    assert f"{calls.sensitivity[0]:.3f} ({calls.sensitivity_low[0]:.3f} to " in text
    assert "not wholly external" not in text


def test_own_images_are_said(tables, patches):
    text = "\n".join(describe_external(*tables(shared=7, theirs=patches)))
    assert "7 of the 300 patches of `theirs` show what images of the own data set show" in text
    assert "6 with the same pixels, in any orientation, and 1 as near duplicates" in text


def test_perfect_predictions_have_no_slope_to_tell(tables, patches):
    perfect = patches.assign(probability=0.1 + 0.8 * patches.label)
    table, calls = tables(theirs=perfect)
    assert table.slope.isna().all()
    assert "– (– to –)" in "\n".join(describe_external(table, calls))
