import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from pcam.figures import style, training


def make_history(epochs):
    epoch = np.arange(1, epochs + 1)
    return pd.DataFrame(
        {
            "epoch": epoch,
            "train_loss": 0.5 / epoch,
            "val_loss": 0.6 / epoch,
            "val_auc": 0.97 + 0.002 * epoch,
            "lr": 3e-4,
            "seconds": 30.0,
            "images_per_second": 900.0,
        }
    )


def make_predictions(separation):
    generator = np.random.default_rng(0)
    label = generator.integers(0, 2, 500)
    logit = generator.normal(separation * label)
    ids = [f"{i:03d}" for i in range(500)]
    return pd.DataFrame({"id": ids, "label": label, "probability": 1 / (1 + np.exp(-logit))})


@pytest.mark.parametrize("epochs", [1, 3])
def test_learning_curves_show_each_epoch(render, epochs):
    history = make_history(epochs)
    figure = render(training.draw_learning_curves, history, "A training")
    loss, auroc = figure.axes
    curves = {line.get_label(): line for line in loss.lines}
    assert curves["train"].get_ydata().tolist() == history.train_loss.tolist()
    assert curves["validation"].get_ydata().tolist() == history.val_loss.tolist()
    assert auroc.lines[0].get_ydata().tolist() == history.val_auc.tolist()
    assert auroc.lines[0].get_color() == curves["validation"].get_color()
    assert all(line.get_marker() == "o" for line in [*loss.lines, *auroc.lines])
    assert (loss.get_xlabel(), auroc.get_xlabel()) == ("epoch", "epoch")
    assert (loss.get_ylabel(), auroc.get_ylabel()) == (
        "loss (binary cross-entropy)", "validation AUROC",
    )  # fmt: skip
    assert [text.get_text() for text in figure.legends[0].texts] == ["train", "validation"]


@pytest.mark.parametrize("epochs", [1, 10])
def test_epochs_have_whole_ticks(render, epochs):
    axes = render(training.draw_learning_curves, make_history(epochs), "").axes[0]
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert ticks
    assert all(float(tick).is_integer() for tick in ticks)


def test_auroc_axis_is_zoomed(render):
    axes = render(training.draw_learning_curves, make_history(3), "").axes[1]
    assert axes.get_ylim()[0] > 0.9
    assert axes.get_ylim()[1] < 1


def test_learning_curves_read_their_history(tmp_path):
    make_history(2).to_csv(tmp_path / "history.csv", index=False)
    training.learning_curves(tmp_path / "history.csv", tmp_path / "figure.png", 60, "A training")
    with Image.open(tmp_path / "figure.png") as image:
        assert image.size == (60 * style.WIDTH, 240)


@pytest.mark.parametrize("separation", [-0.3, 3.0, 9.0])
def test_roc_tells_the_auroc_and_zooms_onto_the_bend(render, separation):
    predictions = make_predictions(separation)
    figure = render(training.draw_roc, predictions, "A model")
    whole, corner = figure.axes
    auroc = roc_auc_score(predictions.label, predictions.probability)
    legend = [text.get_text() for text in figure.legends[0].texts]
    assert legend == [f"AUROC {auroc:.4f}", "chance (AUROC 0.5)"]
    curve, chance = whole.lines
    assert np.trapezoid(curve.get_ydata(), curve.get_xdata()) == pytest.approx(auroc)
    assert chance.get_xydata().tolist() == [[0, 0], [1, 1]]
    assert whole.get_aspect() == corner.get_aspect() == 1
    # The bend, the point of the curve next to the corner, is in the middle of the zoom or before.
    side = corner.get_xlim()[1]
    assert corner.get_ylim()[0] == pytest.approx(1 - side)
    bend = np.maximum(curve.get_xdata(), 1 - curve.get_ydata()).min()
    assert bend <= side
    assert side <= max(2 * bend + 0.02, 0.02)
    assert not figure.legends[0].get_window_extent().overlaps(whole.get_tightbbox())


def test_good_curves_get_a_close_zoom(render):
    assert render(training.draw_roc, make_predictions(4.0), "").axes[1].get_xlim()[1] < 0.15


def test_roc_reads_its_predictions(tmp_path):
    make_predictions(2.0).to_csv(tmp_path / "predictions.csv", index=False)
    training.roc(tmp_path / "predictions.csv", tmp_path / "figure.png", 60, "A model")
    with Image.open(tmp_path / "figure.png") as image:
        assert image.width == 60 * style.WIDTH
