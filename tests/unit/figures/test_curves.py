import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from histopatch.figures import curves
from histopatch.statistics.curves import roc_band


def make_predictions(separation):
    generator = np.random.default_rng(0)
    label = generator.integers(0, 2, 500)
    return label, generator.normal(separation * label)


def make_roc(separation):
    label, score = make_predictions(separation)
    false, true, _ = roc_curve(label, score)
    band = {"low": np.maximum(true - 0.03, 0), "high": np.minimum(true + 0.01, 1)}
    curve = pd.DataFrame({"false_positive_rate": false, "true_positive_rate": true} | band)
    auroc = roc_auc_score(label, score)
    metrics = {
        "on": "held-out patches",
        "auc": auroc,
        "auc_low": auroc - 0.01,
        "auc_high": auroc + 0.005,
        "auc_interval": "slide jackknife",
    }
    return curve, metrics


def legend(figure):
    return [text.get_text() for text in figure.legends[0].texts]


def lines(axes):
    return {line.get_label(): line for line in axes.lines}


@pytest.mark.parametrize("separation", [3.0, 9.0])
def test_roc_tells_the_auroc_and_zooms_onto_the_bend(render, points, separation, assert_inside):
    curve, metrics = make_roc(separation)
    figure = render(curves.draw_roc, curve, points, metrics)
    whole, corner = figure.axes
    drawn, chance, *_ = whole.lines
    auroc = metrics["auc"]
    interval = f"95 % interval {auroc - 0.01:.4f}–{auroc + 0.005:.4f}, slide jackknife"
    assert drawn.get_label() == f"AUROC {auroc:.4f} ({interval})"
    assert np.trapezoid(drawn.get_ydata(), drawn.get_xdata()) == pytest.approx(auroc)
    assert chance.get_xydata().tolist() == [[0, 0], [1, 1]]
    assert whole.get_aspect() == corner.get_aspect() == 1
    # The bend, the point of the curve next to the corner, is in the zoom, and so are the operating points.
    side = corner.get_xlim()[1]
    assert corner.get_ylim()[0] == pytest.approx(1 - side)
    bend = np.maximum(drawn.get_xdata(), 1 - drawn.get_ydata()).min()
    assert bend <= side
    farthest = max(*(1 - points.specificity), *(1 - points.sensitivity))
    assert farthest <= side <= max(2 * bend, 1.05 * farthest, curves.SMALLEST_CORNER - 0.02) + 0.02
    assert whole.patches[0].get_bbox().extents == pytest.approx([0, 1 - side, side, 1])
    assert figure.get_suptitle() == "ROC curve of the final model on held-out patches"
    assert not figure.legends[0].get_window_extent().overlaps(whole.get_tightbbox())
    assert_inside(figure)


@pytest.mark.parametrize("separation", [-2.0, 0.0, 0.3])
def test_a_poor_curve_is_drawn_once_with_whole_markers(render, points, separation, assert_inside):
    points = points.assign(sensitivity=[1.0, 0.0, 0.5], specificity=[0.0, 1.0, 0.4])
    figure = render(curves.draw_roc, *_with(points, make_roc(separation)))
    (whole,) = figure.axes
    assert not whole.patches
    low, high = whole.get_xlim()
    assert low < 0 and high > 1
    markers = [line for line in whole.lines if line.get_marker() not in ("None", "")]
    assert len(markers) == 3
    assert not any(line.get_clip_on() for line in markers)
    assert_inside(figure)


def test_good_curves_get_a_close_zoom_that_holds_95_percent(render, points):
    points = points.assign(sensitivity=0.96, specificity=0.95)
    for separation, least, most in ((4.0, 0.05, 0.15), (30.0, 0.05, 0.1)):
        corner = render(curves.draw_roc, *_with(points, make_roc(separation))).axes[1]
        assert least < corner.get_xlim()[1] < most


def _with(points, roc):
    curve, metrics = roc
    return curve, points, metrics


def test_the_band_is_filled_from_low_to_high(render, points):
    curve, metrics = make_roc(2.0)
    figure = render(curves.draw_roc, curve, points, metrics)
    for axes in figure.axes:
        band = axes.collections[0]
        edge = band.get_paths()[0].vertices
        for end in ("low", "high"):
            corners = curve[["false_positive_rate", end]].to_numpy()
            assert all((np.abs(edge - corner).sum(axis=1) < 1e-9).any() for corner in corners[1:-1])
    assert "pointwise 95 % band" in legend(figure)


def drawn_area(line) -> float:
    """Under a curve as it is drawn: its corners where it has steps."""
    x, y = line.get_xdata(), line.get_ydata()
    return float((y[:-1] * np.diff(x)).sum() if line.get_drawstyle() == "steps-post" else np.trapezoid(y, x))


def test_the_area_that_is_drawn_is_the_auroc(render, points):
    label, score = make_predictions(2.0)
    for scores, drawstyle in ((score, "steps-post"), (np.round(score), "default"), (0 * score, "default")):
        area = roc_auc_score(label, scores)
        curve = roc_band(label, 1 / (1 + np.exp(-scores)), resamples=2)
        metrics = {"on": "x", "auc": area, "auc_low": 0.1, "auc_high": 1.0, "auc_interval": "DeLong"}
        line = render(curves.draw_roc, curve, points, metrics).axes[0].lines[0]
        assert line.get_drawstyle() == drawstyle
        assert drawn_area(line) == pytest.approx(area, abs=0.02)


def test_operating_points_are_marked_and_named(render, points):
    curve, metrics = make_roc(2.0)
    figure = render(curves.draw_roc, curve, points, metrics)
    names = [
        "95 % sensitivity (threshold 0.31)",
        "95 % specificity (threshold 0.99987)",
        "Youden's J (threshold 0.00040)",
    ]
    assert legend(figure)[-3:] == names
    for axes in figure.axes:
        marked = [lines(axes)[name].get_xydata()[0].tolist() for name in names]
        assert marked == [pytest.approx(place) for place in ([0.2, 0.95], [0.05, 0.85], [0.1, 0.9])]
        assert len({lines(axes)[name].get_marker() for name in names}) == 3


def test_roc_reads_its_files(tmp_path, is_written, points):
    curve, metrics = make_roc(2.0)
    curve.to_csv(tmp_path / "curve.csv", index=False)
    points.to_csv(tmp_path / "points.csv", index=False)
    (tmp_path / "metrics.json").write_text(json.dumps({"measured": metrics}))
    inputs = [tmp_path / name for name in ("curve.csv", "points.csv", "metrics.json")]
    curves.roc(*inputs, tmp_path / "figure.png", 60)
    assert is_written()


def make_precision_recall(separation):
    label, score = make_predictions(separation)
    precision, recall, _ = precision_recall_curve(label, score)
    metrics = {
        "on": "validation patches",
        "patches": 500,
        "positive": int(label.sum()),
        "average_precision": average_precision_score(label, score),
    }
    return pd.DataFrame({"recall": recall, "precision": precision}), metrics


def test_a_poor_precision_recall_curve_is_drawn_once(render, assert_inside):
    figure = render(curves.draw_precision_recall, *make_precision_recall(0.0))
    assert len(figure.axes) == 1
    assert_inside(figure)


@pytest.mark.parametrize("separation", [3.0, 30.0])
def test_precision_recall_tells_the_average_precision_and_zooms(render, separation, assert_inside):
    curve, metrics = make_precision_recall(separation)
    figure = render(curves.draw_precision_recall, curve, metrics)
    whole, corner = figure.axes
    share = metrics["positive"] / 500
    drawn, chance = whole.lines
    assert legend(figure) == [
        f"average precision {metrics['average_precision']:.4f}",
        f"chance (share of positives {share:.3f})",
    ]
    # Steps back from each point: their area is the average precision.
    recall, precision = drawn.get_data()
    assert drawn.get_drawstyle() == "steps-pre"
    assert np.sum(np.diff(recall) * precision[1:]) == pytest.approx(metrics["average_precision"])
    assert chance.get_ydata() == [share, share]
    side = 1 - corner.get_xlim()[0]
    assert corner.get_ylim()[0] == pytest.approx(1 - side)
    assert whole.patches[0].get_bbox().extents == pytest.approx([1 - side, 1 - side, 1, 1])
    bend = np.maximum(1 - recall, 1 - precision).min()
    assert bend <= side <= max(2 * bend + 0.02, curves.SMALLEST_CORNER) + 1e-9
    assert figure.get_suptitle() == "Precision-recall curve of the final model on validation patches"
    assert_inside(figure)


def test_precision_recall_reads_its_files(tmp_path, is_written):
    curve, metrics = make_precision_recall(2.0)
    curve.to_csv(tmp_path / "curve.csv", index=False)
    (tmp_path / "metrics.json").write_text(json.dumps({"measured": metrics}))
    inputs = [tmp_path / "curve.csv", tmp_path / "metrics.json"]
    curves.precision_recall(*inputs, tmp_path / "figure.png", 60)
    assert is_written()


def test_points_that_are_of_other_patches_than_the_curve_say_so(render, points):
    curve, metrics = make_roc(3.0)
    points = points.assign(reported_on="the other half of the validation patches")
    title = " ".join(render(curves.draw_roc, curve, points, metrics).get_suptitle().split())
    assert title.endswith("held-out patches (operating points on the other half of the validation patches)")
