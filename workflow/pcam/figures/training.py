"""Figures of one training: how it went and how well its model tells the classes apart."""

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import roc_auc_score, roc_curve

from pcam.figures import style


def learning_curves(history: str, path: str, dpi: int, title: str) -> None:
    """Draw the loss of both parts and the validation AUROC over the epochs.

    history: CSV with the columns `epoch,train_loss,val_loss,val_auc`.
    """
    with style.figure(path, dpi) as figure:
        draw_learning_curves(figure, pd.read_csv(history), title)


def draw_learning_curves(figure: Figure, history: pd.DataFrame, title: str) -> None:
    """Draw what `learning_curves` describes."""
    loss, auroc = figure.subplots(1, 2)
    _draw_curve(loss, history.epoch, history.train_loss, "train")
    _draw_curve(loss, history.epoch, history.val_loss, "validation")
    loss.set_ylabel("loss (binary cross-entropy)")
    _draw_curve(auroc, history.epoch, history.val_auc, "validation")
    auroc.set_ylabel("validation AUROC")
    auroc.set_ylim(style.zoomed(history.val_auc.min(), history.val_auc.max()))
    style.legend_below(figure, loss)
    style.heading(figure, title)


def roc(predictions: str, path: str, dpi: int, title: str) -> None:
    """Draw the ROC curve, whole and zoomed into the corner where good curves differ.

    predictions: CSV with the columns `label,probability`.
    """
    with style.figure(path, dpi) as figure:
        draw_roc(figure, pd.read_csv(predictions), title)


def draw_roc(figure: Figure, predictions: pd.DataFrame, title: str) -> None:
    """Draw what `roc` describes."""
    figure.set_figheight(5.2)
    false, true, _ = roc_curve(predictions.label, predictions.probability)
    auroc = roc_auc_score(predictions.label, predictions.probability)
    side = _corner_side(false, true)
    whole, corner = figure.subplots(1, 2)
    for axes in (whole, corner):
        axes.plot(false, true, color=style.COLOURS["validation"], label=f"AUROC {auroc:.4f}")
        axes.plot([0, 1], [0, 1], color=style.MUTED, lw=1, ls="--", label="chance (AUROC 0.5)")
        axes.set_aspect("equal")
        axes.set_xlabel("false positive rate (1 - specificity)")
        axes.set_ylabel("true positive rate (sensitivity)")
    # A margin of 1 % keeps a curve along the frame whole.
    whole.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), title="Whole curve")
    corner.set(xlim=(-0.01 * side, side), ylim=(1 - side, 1 + 0.01 * side))
    corner.set_title("The outlined corner, enlarged")
    whole.add_patch(Rectangle((0, 1 - side), side, side, fill=False, edgecolor=style.INK, lw=0.8))
    style.legend_below(figure, whole)
    style.heading(figure, title)


def _draw_curve(axes: Axes, epochs: pd.Series, values: pd.Series, part: str) -> None:
    axes.plot(epochs, values, marker="o", ms=5, color=style.COLOURS[part], label=part)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    # One epoch leaves no range of its own, and half an epoch is no tick.
    axes.set_xlim(epochs.min() - 0.5, epochs.max() + 0.5)


def _corner_side(false_positive_rate, true_positive_rate) -> float:
    """Side of a top left square with the bend of the curve in its middle."""
    distance = min(map(max, false_positive_rate, 1 - true_positive_rate))
    return min(max(math.ceil(2 * distance / 0.02), 1) * 0.02, 1.0)
