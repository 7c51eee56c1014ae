import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from PIL import Image
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from histopatch.figures import forest, performance, style

NAMES = ["95 % sensitivity", "95 % specificity", "Youden's J"]


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
        "auc_interval": "slide bootstrap",
    }
    return curve, metrics


@pytest.fixture
def points():
    """Operating points as written; of 200 positive and 300 negative patches."""
    rows = []
    counts = (("sensitivity_95", 0.31234, 190, 60), ("specificity_95", 0.99987, 170, 15))
    for point, threshold, true, false in (*counts, ("youden", 0.0004, 180, 30)):
        row = {
            "point": point,
            "threshold": threshold,
            "chosen_on": "validation patches",
            "reported_on": "held-out patches",
            "true_positives": true,
            "false_positives": false,
            "true_negatives": 300 - false,
            "false_negatives": 200 - true,
        }
        shares = {
            "sensitivity": true / 200,
            "specificity": 1 - false / 300,
            "ppv": true / (true + false),
            "npv": (300 - false) / (500 - true - false),
        }
        for name, share in shares.items():
            row |= {name: share, f"{name}_low": share - 0.02, f"{name}_high": share + 0.01}
        rows.append(row)
    return pd.DataFrame(rows)


def legend(figure):
    return [text.get_text() for text in figure.legends[0].texts]


def lines(axes):
    return {line.get_label(): line for line in axes.lines}


def written(tmp_path):
    with Image.open(tmp_path / "figure.png") as image:
        return image.width == 60 * style.WIDTH


@pytest.mark.parametrize("separation", [-0.3, 3.0, 9.0])
def test_roc_tells_the_auroc_and_zooms_onto_the_bend(render, points, separation, assert_inside):
    curve, metrics = make_roc(separation)
    figure = render(performance.draw_roc, curve, points, metrics)
    whole, corner = figure.axes
    drawn, chance, *_ = whole.lines
    auroc = metrics["auc"]
    interval = f"95 % interval {auroc - 0.01:.4f}–{auroc + 0.005:.4f}, slide bootstrap"
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
    assert farthest <= side <= max(2 * bend, farthest, performance.SMALLEST_CORNER - 0.02) + 0.02
    assert whole.patches[0].get_bbox().extents == pytest.approx([0, 1 - side, side, 1])
    assert figure.get_suptitle() == "ROC curve of the final model, held-out patches"
    assert not figure.legends[0].get_window_extent().overlaps(whole.get_tightbbox())
    assert_inside(figure)


def test_good_curves_get_a_close_zoom_that_holds_95_percent(render, points):
    points = points.assign(sensitivity=0.96, specificity=0.95)
    for separation, least, most in ((4.0, 0.05, 0.15), (30.0, 0.05, 0.1)):
        corner = render(performance.draw_roc, *_with(points, make_roc(separation))).axes[1]
        assert least < corner.get_xlim()[1] < most


def _with(points, roc):
    curve, metrics = roc
    return curve, points, metrics


def test_the_band_is_filled_from_low_to_high(render, points):
    curve, metrics = make_roc(2.0)
    figure = render(performance.draw_roc, curve, points, metrics)
    for axes in figure.axes:
        band = axes.collections[0]
        edge = band.get_paths()[0].vertices
        for end in ("low", "high"):
            corners = curve[["false_positive_rate", end]].to_numpy()
            assert all((np.abs(edge - corner).sum(axis=1) < 1e-9).any() for corner in corners[1:-1])
    assert "95 % band, point by point" in legend(figure)


def test_operating_points_are_marked_and_named(render, points):
    curve, metrics = make_roc(2.0)
    figure = render(performance.draw_roc, curve, points, metrics)
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


def test_roc_reads_its_files(tmp_path, points):
    curve, metrics = make_roc(2.0)
    curve.to_csv(tmp_path / "curve.csv", index=False)
    points.to_csv(tmp_path / "points.csv", index=False)
    (tmp_path / "metrics.json").write_text(json.dumps({"measured": metrics}))
    inputs = [tmp_path / name for name in ("curve.csv", "points.csv", "metrics.json")]
    performance.roc(*inputs, tmp_path / "figure.png", 60)
    assert written(tmp_path)


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


@pytest.mark.parametrize("separation", [0.3, 3.0, 30.0])
def test_precision_recall_tells_the_average_precision_and_zooms(render, separation, assert_inside):
    curve, metrics = make_precision_recall(separation)
    figure = render(performance.draw_precision_recall, curve, metrics)
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
    assert bend <= side <= max(2 * bend + 0.02, performance.SMALLEST_CORNER) + 1e-9
    assert figure.get_suptitle() == "Precision-recall curve of the final model, validation patches"
    assert_inside(figure)


def test_precision_recall_reads_its_files(tmp_path):
    curve, metrics = make_precision_recall(2.0)
    curve.to_csv(tmp_path / "curve.csv", index=False)
    (tmp_path / "metrics.json").write_text(json.dumps({"measured": metrics}))
    inputs = [tmp_path / "curve.csv", tmp_path / "metrics.json"]
    performance.precision_recall(*inputs, tmp_path / "figure.png", 60)
    assert written(tmp_path)


def test_confusion_has_a_matrix_per_point(render, points, assert_inside):
    figure = render(performance.draw_confusion, points)
    matrices = figure.axes[:3]
    assert [axes.get_title().split("\n")[0] for axes in matrices] == NAMES
    first = matrices[0]
    assert {text.get_position(): text.get_text() for text in first.texts} == {
        (0, 0): "190\n95.0 %",
        (1, 0): "10\n5.0 %",
        (0, 1): "60\n20.0 %",
        (1, 1): "240\n80.0 %",
    }
    assert first.images[0].get_array().tolist() == [[0.95, 0.05], [0.2, 0.8]]
    assert first.images[0].get_clim() == (0, 1)
    for axis, name in ((first.xaxis, "called"), (first.yaxis, "label")):
        assert axis.get_label_text() == name
        assert [label.get_text() for label in axis.get_ticklabels()] == ["positive", "negative"]
    assert "held-out patches (thresholds chosen on validation patches)" in figure.get_suptitle()
    assert_inside(figure)


def test_numbers_stand_out_from_their_cell(render, points):
    for axes in render(performance.draw_confusion, points).axes[:3]:
        shares = axes.images[0].get_array()
        for text in axes.texts:
            column, row = text.get_position()
            assert text.get_color() == ("white" if shares[row, column] > 0.5 else style.INK)


def test_shares_with_intervals_stand_under_each_matrix(render, points):
    points.loc[2, ["ppv", "ppv_low", "ppv_high"]] = np.nan
    figure = render(performance.draw_confusion, points)
    first, _, last = (axes.texts[0].get_text().split("\n") for axes in figure.axes[3:])
    assert first == [
        "sensitivity: 95.0 % (93.0–96.0)",
        "specificity: 80.0 % (78.0–81.0)",
        "PPV: 76.0 % (74.0–77.0)",
        "NPV: 96.0 % (94.0–97.0)",
    ]
    assert last[2] == "PPV: no patches"
    below, above = figure.axes[3].texts[0].get_window_extent(), figure.axes[0].get_tightbbox()
    assert not below.overlaps(above)
    assert above.x0 <= below.x0
    assert below.x1 <= above.x1


def test_large_counts_stay_inside_the_page_and_their_cell(render, points, assert_inside):
    counts = ["true_positives", "false_positives", "true_negatives", "false_negatives"]
    points[counts] *= 10_000
    figure = render(performance.draw_confusion, points)
    for axes in figure.axes[:3]:
        cell = axes.get_window_extent().width / 2
        assert max(text.get_window_extent().width for text in axes.texts) < cell
    assert_inside(figure)


def test_confusion_reads_its_table(tmp_path, points):
    points.to_csv(tmp_path / "points.csv", index=False)
    performance.confusion(tmp_path / "points.csv", tmp_path / "figure.png", 60)
    assert written(tmp_path)


@pytest.fixture
def reliability():
    """Two bins before calibration, off by 0.1 and 0.2, and three after, of which one is off by 0.1."""
    before = [(0.0, 0.1, 0.05, 0.15, 3000), (0.9, 1.0, 0.95, 0.75, 1000)]
    after = [(0.0, 0.1, 0.05, 0.05, 2000), (0.5, 0.6, 0.55, 0.65, 500), (0.9, 1.0, 0.95, 0.95, 1500)]
    rows = [
        {
            "calibration": name,
            "temperature": temperature,
            "ece": error,
            "fitted_on": "validation patches",
            "reported_on": "held-out patches",
            "bin": 0,
            "above": above,
            "up_to": up_to,
            "patches": patches,
            "mean_probability": probability,
            "positive_share": share,
            "positive_share_low": share - 0.04,
            "positive_share_high": share + 0.02,
        }
        for name, temperature, error, bins in (("before", 1.0, 0.125, before), ("after", 1.5, 0.0125, after))
        for above, up_to, probability, share, patches in bins
    ]
    return pd.DataFrame(rows)


def test_reliability_has_a_dot_a_bin_against_the_diagonal(render, reliability, assert_inside):
    figure = render(performance.draw_reliability, reliability)
    before, after, *_ = figure.axes
    for axes, dots in (
        (before, [[0.05, 0.15], [0.95, 0.75]]),
        (after, [[0.05, 0.05], [0.55, 0.65], [0.95, 0.95]]),
    ):
        assert lines(axes)["perfect calibration"].get_xydata().tolist() == [[0, 0], [1, 1]]
        assert lines(axes)["patches of a bin"].get_xydata().tolist() == dots
        ends = [segment[:, 1].tolist() for segment in axes.collections[0].get_segments()]
        assert ends == [pytest.approx([share - 0.04, share + 0.02]) for _, share in dots]
        assert axes.get_xlim() == axes.get_ylim() == (-0.02, 1.02)
    assert_inside(figure)


def test_reliability_tells_the_error_and_the_temperature(render, reliability):
    figure = render(performance.draw_reliability, reliability)
    before, after, *_ = figure.axes
    title = " ".join(figure.get_suptitle().split())
    assert "held-out patches (temperature fitted on validation patches)" in title
    assert before.get_title() == "Before calibration\nexpected calibration error 0.1250"
    assert after.get_title() == ("After calibration (temperature 1.50)\nexpected calibration error 0.0125")


def test_the_strip_below_counts_the_patches(render, reliability):
    *_, before, after = render(performance.draw_reliability, reliability).axes
    bars = [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in before.patches]
    assert bars == [pytest.approx(bar) for bar in ((0, 0.1, 3000), (0.9, 0.1, 1000))]
    assert [bar.get_height() for bar in after.patches] == [2000, 500, 1500]
    assert before.get_yscale() == after.get_yscale() == "log"
    assert before.get_ylim() == after.get_ylim()
    assert before.get_ylim()[0] < 1  # a bin of one patch has a bar


def test_reliability_reads_its_table(tmp_path, reliability):
    reliability.to_csv(tmp_path / "table.csv", index=False)
    performance.reliability(tmp_path / "table.csv", tmp_path / "figure.png", 60)
    assert written(tmp_path)


def make_groups(count, kind="slide"):
    """Groups of both parts by turns, in no order; the first of every ten has one class only."""
    generator = np.random.default_rng(0)
    auc = np.where(np.arange(count) % 10 == 0, np.nan, generator.uniform(0.8, 0.98, count))
    return pd.DataFrame(
        {
            "part": [("held out", "validation")[i % 2] for i in range(count)],
            "group": [f"{i:03d}" for i in range(count)],
            "kind": kind,
            "patches": generator.integers(10, 2000, count),
            "positive": 5,
            "auc": auc,
            "auc_low": auc - 0.1,
            "auc_high": auc + 0.015,
        }
    )


def part_dots(axes):
    """The dots of each part."""
    return {group.get_label(): group for group in axes.collections if not group.get_label().startswith("_")}


@pytest.mark.parametrize("count", [4, 30, 400])
def test_groups_are_sorted_within_their_part(render, count, assert_inside):
    groups = make_groups(count)
    figure = render(performance.draw_auc_by_group, groups)
    axes = figure.axes[0]
    dots = part_dots(axes)
    assert list(dots) == legend(figure) == ["validation", "held out"]
    for part, drawn in dots.items():
        auc = groups[groups.part == part].auc.dropna().sort_values(ascending=False)
        assert drawn.get_offsets()[:, 0].tolist() == auc.tolist()
        rows = drawn.get_offsets()[:, 1]
        assert (np.diff(rows) == 1).all()
        assert to_hex(drawn.get_facecolor()[0]) == style.COLOURS[part].lower()
    gap = dots["held out"].get_offsets()[0, 1] - dots["validation"].get_offsets()[-1, 1]
    assert gap >= 2
    assert axes.yaxis_inverted()
    low, high = axes.get_xlim()
    assert low <= groups.auc_low.min()
    assert groups.auc_high.max() <= high
    assert_inside(figure)


def test_groups_are_named_with_their_numbers(render):
    groups = make_groups(4)[2:]
    axes = render(performance.draw_auc_by_group, groups).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["003", "002"]
    row = groups.iloc[1]
    note = f"{row.auc:.3f} ({row.auc_low:.3f}–{row.auc_high:.3f}), {row.patches:,} patches"
    assert axes.texts[0].get_text() == note
    assert axes.get_ylabel() == "slides"


def test_whiskers_of_groups_span_the_interval(render):
    groups = make_groups(4)[3:]
    whiskers = render(performance.draw_auc_by_group, groups).axes[0].collections[0].get_segments()
    row = groups.iloc[0]
    assert whiskers[0][:, 0].tolist() == pytest.approx([row.auc_low, row.auc_high])


@pytest.mark.parametrize("count", [30, 400])
def test_larger_groups_have_larger_dots(render, count):
    groups = make_groups(count).dropna()
    for part, drawn in part_dots(render(performance.draw_auc_by_group, groups).axes[0]).items():
        patches = groups[groups.part == part].sort_values("auc", ascending=False).patches
        assert (np.argsort(drawn.get_sizes()) == np.argsort(patches.to_numpy())).all()
        assert drawn.get_sizes().min() >= 3


def test_dots_in_the_legend_are_equally_large_whatever_the_groups(render):
    handles = render(performance.draw_auc_by_group, make_groups(400)).legends[0].legend_handles
    assert {size for handle in handles for size in handle.get_sizes()} == {forest.AREA}


def test_many_groups_have_thin_rows_without_names(render):
    figure = render(performance.draw_auc_by_group, make_groups(400))
    assert len(figure.axes[0].get_yticks()) == 0
    assert figure.axes[0].get_ylabel() == "360 slides"
    assert figure.get_figheight() < 11


def test_groups_with_one_class_are_counted_below_the_axes(render):
    for count, words in (
        (4, "1 slide with one class only is not shown"),
        (30, "3 slides with one class only are not shown"),
    ):
        axes = render(performance.draw_auc_by_group, make_groups(count)).axes[0]
        sentence = axes.texts[-1]
        assert sentence.get_text() == words
        assert sentence.get_window_extent().y1 <= axes.xaxis.label.get_window_extent().y0
    axes = render(performance.draw_auc_by_group, make_groups(30).dropna()).axes[0]
    assert not any("one class" in text.get_text() for text in axes.texts)


def test_folds_and_slides_are_both_named(render):
    groups = pd.concat([make_groups(4, "fold"), make_groups(4)])
    axes = render(performance.draw_auc_by_group, groups).axes[0]
    assert axes.texts[-1].get_text() == "1 fold and 1 slide with one class only are not shown"
    assert axes.get_ylabel() == "folds and slides"


def test_without_any_auroc_it_says_so(render, assert_inside):
    figure = render(performance.draw_auc_by_group, make_groups(1))
    assert figure.axes[0].texts[0].get_text().startswith("No group has patches of both classes")
    assert_inside(figure)


def test_auc_by_group_reads_its_table_and_keeps_names_as_written(tmp_path, monkeypatch):
    make_groups(12).to_csv(tmp_path / "table.csv", index=False)
    drawn = []
    draw = performance.draw_auc_by_group
    monkeypatch.setattr(
        performance, "draw_auc_by_group", lambda *inputs: drawn.append(inputs) or draw(*inputs)
    )
    performance.auc_by_group(tmp_path / "table.csv", tmp_path / "figure.png", 60)
    assert list(drawn[0][1].group)[:2] == ["000", "001"]
    assert written(tmp_path)


def test_groups_may_be_called_anything(tmp_path):
    make_groups(4).assign(group=["NA", "null", "007", "1e5"]).to_csv(tmp_path / "table.csv", index=False)
    performance.auc_by_group(tmp_path / "table.csv", tmp_path / "figure.png", 60)
    assert written(tmp_path)


def test_points_that_are_of_other_patches_than_the_curve_say_so(render, points):
    curve, metrics = make_roc(3.0)
    points = points.assign(reported_on="the other half of the validation patches")
    title = " ".join(render(performance.draw_roc, curve, points, metrics).get_suptitle().split())
    assert title.endswith("held-out patches (operating points: the other half of the validation patches)")
