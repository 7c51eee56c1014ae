import numpy as np
import pandas as pd
import pytest
from PIL import Image

from histopatch.errors import InputError
from histopatch.figures import style, training


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


@pytest.mark.parametrize("epochs", [1, 3])
def test_learning_curves_show_each_epoch(render, epochs):
    history = make_history(epochs)
    figure = render(training.draw_learning_curves, [history])
    loss, auroc = figure.axes
    curves = {line.get_label(): line for line in loss.lines}
    assert curves["training"].get_ydata().tolist() == history.train_loss.tolist()
    assert curves["validation"].get_ydata().tolist() == history.val_loss.tolist()
    assert auroc.lines[0].get_ydata().tolist() == history.val_auc.tolist()
    assert auroc.lines[0].get_color() == curves["validation"].get_color()
    assert all(line.get_marker() == "o" for line in [*loss.lines, *auroc.lines])
    assert (loss.get_xlabel(), auroc.get_xlabel()) == ("epoch", "epoch")
    assert (loss.get_ylabel(), auroc.get_ylabel()) == ("loss", "validation AUROC")
    assert [text.get_text() for text in figure.legends[0].texts] == ["training", "validation"]


@pytest.mark.parametrize("epochs", [1, 10])
def test_epochs_have_whole_ticks(render, epochs):
    axes = render(training.draw_learning_curves, [make_history(epochs)]).axes[0]
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert ticks
    assert all(float(tick).is_integer() for tick in ticks)


def test_auroc_axis_is_zoomed(render):
    axes = render(training.draw_learning_curves, [make_history(3)]).axes[1]
    assert axes.get_ylim()[0] > 0.9
    assert axes.get_ylim()[1] < 1


def test_learning_curves_read_their_history(tmp_path):
    make_history(2).to_csv(tmp_path / "history.csv", index=False)
    training.learning_curves([tmp_path / "history.csv"], tmp_path / "figure.png", 60)
    with Image.open(tmp_path / "figure.png") as image:
        assert image.size == (60 * style.WIDTH, 240)


def test_folds_are_thin_lines_around_their_mean(render):
    histories = [make_history(3), (make_history(3) * 1.1).assign(epoch=[1, 2, 3])]
    figure = render(training.draw_learning_curves, histories)
    _, auroc = figure.axes
    mean, *folds = auroc.lines
    assert mean.get_ydata() == pytest.approx(1.05 * histories[0].val_auc.to_numpy())
    assert [line.get_ydata().tolist() for line in folds] == [h.val_auc.tolist() for h in histories]
    assert all(line.get_linewidth() < mean.get_linewidth() for line in folds)
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "training, mean over 2 trainings", "training, each training",
        "validation, mean over 2 trainings", "validation, each training",
    ]  # fmt: skip


def test_the_curves_of_a_final_training_that_failed_are_one_line(tmp_path):
    (tmp_path / "history.csv").write_text("epoch,train_loss\n")
    (tmp_path / "run.json").write_text('{"failed": "no memory"}')
    with pytest.raises(InputError, match=r"^the final training failed: no memory"):
        training.learning_curves([str(tmp_path / "history.csv")], str(tmp_path / "figure.png"), 60)


def test_the_mean_of_folds_that_stopped_early_ends_with_the_first(render):
    loss, _ = render(training.draw_learning_curves, [make_history(4), make_history(2)]).axes
    mean, *folds = [line for line in loss.lines if line.get_color() == loss.lines[0].get_color()]
    assert list(mean.get_xdata()) == [1, 2]
    assert [len(fold.get_xdata()) for fold in folds] == [4, 2]
