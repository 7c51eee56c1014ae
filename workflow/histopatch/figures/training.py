"""Figure of one training, or of those of all folds of a run: how it went."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from histopatch.figures import style
from histopatch.files import read_table


def learning_curves(histories: Sequence[str], path: str, dpi: int, title: str) -> None:
    """Draw the loss of both parts and the validation AUROC over the epochs, as mean over the folds.

    histories: of each fold, CSV with the columns `epoch,train_loss,val_loss,val_auc`.
    """
    with style.figure(path, dpi) as figure:
        draw_learning_curves(figure, [read_table(history) for history in histories], title)


def draw_learning_curves(figure: Figure, histories: list[pd.DataFrame], title: str) -> None:
    """Draw what `learning_curves` describes; the folds themselves are thin lines."""
    loss, auroc = figure.subplots(1, 2)
    _draw_curve(loss, histories, "train_loss", "train")
    _draw_curve(loss, histories, "val_loss", "validation")
    loss.set_ylabel("loss (binary cross-entropy)")
    _draw_curve(auroc, histories, "val_auc", "validation")
    auroc.set_ylabel("validation AUROC")
    aurocs = pd.concat(histories).val_auc
    auroc.set_ylim(style.zoomed(aurocs.min(), aurocs.max()))
    style.legend_below(figure, loss)
    style.heading(figure, title)


def _draw_curve(axes: Axes, histories: list[pd.DataFrame], column: str, part: str) -> None:
    epochs, colour = histories[0].epoch, style.COLOURS[part]
    label = part if len(histories) == 1 else f"{part}, mean over {len(histories)} folds"
    mean = sum(history[column] for history in histories) / len(histories)
    axes.plot(epochs, mean, marker="o", ms=5, color=colour, label=label)
    if len(histories) > 1:
        for history in histories:
            axes.plot(epochs, history[column], marker=".", color=colour, lw=0.8, alpha=0.5)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    # One epoch leaves no range of its own, and half an epoch is no tick.
    axes.set_xlim(epochs.min() - 0.5, epochs.max() + 0.5)
