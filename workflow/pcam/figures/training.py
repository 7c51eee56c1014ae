"""Figure of one training: how it went."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

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


def _draw_curve(axes: Axes, epochs: pd.Series, values: pd.Series, part: str) -> None:
    axes.plot(epochs, values, marker="o", ms=5, color=style.COLOURS[part], label=part)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    # One epoch leaves no range of its own, and half an epoch is no tick.
    axes.set_xlim(epochs.min() - 0.5, epochs.max() + 0.5)
