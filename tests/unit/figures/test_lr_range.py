import numpy as np
import pandas as pd
import pytest

from histopatch.figures import lr_range


@pytest.fixture
def steps():
    """A loss that falls fastest at 1e-3 and explodes at the end."""
    lr = np.geomspace(1e-6, 1, 100)
    loss = 0.4 + 0.3 / (1 + np.exp(3 * (np.log10(lr) + 3))) + 2 * (lr > 0.5)
    return pd.DataFrame({"step": range(1, 101), "lr": lr, "loss": loss, "smoothed_loss": loss})


def test_the_steepest_fall_is_marked(steps, render, assert_inside):
    assert lr_range.steepest(steps) == pytest.approx(1e-3, rel=0.3)
    figure = render(lr_range.draw_lr_range, steps, "resnet18-96px-0123456789")
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    marked = next(line for line in axes.lines if "falls fastest" in line.get_label())
    assert marked.get_xdata()[0] == lr_range.steepest(steps)
    assert axes.get_ylim()[1] < 1.5  # what explodes is not shown in full
    assert_inside(figure)


def test_it_reads_its_table(steps, tmp_path, is_written):
    steps.to_csv(tmp_path / "steps.csv", index=False)
    lr_range.lr_range(tmp_path / "steps.csv", tmp_path / "figure.png", "a run", 60)
    assert is_written()
