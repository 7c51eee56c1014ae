"""Figures drawn and rendered as a job does, for tests to look into."""

import pandas as pd
import pytest
from matplotlib.text import Text
from PIL import Image

from histopatch.figures import style


@pytest.fixture
def render(tmp_path):
    """Run a drawing function on a fresh figure, write it, and return the figure."""

    def run(draw, *inputs):
        with style.figure(tmp_path / "figure.png", dpi=60) as figure:
            draw(figure, *inputs)
        # Names may have dollars, so nothing is read as a formula, such as powers of ten on an axis.
        assert not [text for text in figure.findobj(Text) if "mathdefault" in text.get_text()]
        return figure

    return run


@pytest.fixture
def assert_inside():
    """Fail where anything drawn on a figure, text above all, reaches beyond its page."""

    def check(figure):
        # Axes and legends with all that belongs to them, as they are drawn.
        drawn = [axes.get_tightbbox() for axes in figure.axes]
        drawn += [legend.get_window_extent() for legend in figure.legends]
        drawn += [text.get_window_extent() for axes in figure.axes for text in axes.texts]
        if figure.get_suptitle():
            drawn.append(figure._suptitle.get_window_extent())
        page = figure.bbox.padded(1)
        for box in drawn:
            assert page.x0 <= box.x0 and box.x1 <= page.x1
            assert page.y0 <= box.y0 and box.y1 <= page.y1

    return check


@pytest.fixture
def is_written(tmp_path):
    """Whether `figure.png` is there, rendered at 60 dots per inch."""

    def check():
        with Image.open(tmp_path / "figure.png") as image:
            return image.width == 60 * style.WIDTH

    return check


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


@pytest.fixture
def make_runs():
    """Make a table of all runs, as written, best first."""

    def make(aurocs, **columns):
        aurocs = pd.Series(aurocs)
        table = {
            "run": [f"run_{i}" for i in range(len(aurocs))],
            "backbone": "resnet18",
            "lr": 3e-4,
            "pos_weight": False,
            "epochs": 2,
            "best_val_auc": aurocs + 0.001,
            "final_val_auc": aurocs,
            "val_auc_low": aurocs - 0.004,
            "val_auc_high": aurocs + 0.002,
            "tied_with_best": True,
            "validated_on": "unseen slides",
            "folds": 1,
            "fold_auc_mean": aurocs,
            "fold_auc_sd": aurocs / 100,
            "train_seconds": [100.0 + i for i in range(len(aurocs))],
            "study": "grid",
            "folder": [f"folder_{i}" for i in range(len(aurocs))],
        }
        return pd.DataFrame(table | columns)

    return make
