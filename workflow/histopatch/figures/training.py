"""Learning curves of a run: how its training went, fold by fold."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from histopatch.failures import check_final
from histopatch.figures import style
from histopatch.files import read_table


def learning_curves(histories: Sequence[str], path: str, dpi: int) -> None:
    """Draw the training and validation loss and the validation AUROC by epoch, as mean over the trainings.

    histories: one CSV per fold of each final run, with the columns `epoch,train_loss,val_loss,val_auc`.
    """
    check_final(histories)
    with style.figure(path, dpi) as figure:
        draw_learning_curves(figure, [read_table(history) for history in histories])


def draw_learning_curves(figure: Figure, histories: list[pd.DataFrame]) -> None:
    """Draw what `learning_curves` describes; single trainings are thin lines."""
    loss, auroc = figure.subplots(1, 2)
    _draw_curve(loss, histories, "train_loss", "training")
    _draw_curve(loss, histories, "val_loss", "validation")
    loss.set_ylabel("loss")
    _draw_curve(auroc, histories, "val_auc", "validation")
    auroc.set_ylabel("validation AUROC")
    aurocs = pd.concat(histories).val_auc
    auroc.set_ylim(style.zoomed(aurocs.min(), aurocs.max()))
    style.legend_below(figure, loss)
    style.heading(figure, "Learning curves of the final model")


def _draw_curve(axes: Axes, histories: list[pd.DataFrame], column: str, part: str) -> None:
    colour = style.COLOURS[part]
    label = part if len(histories) == 1 else f"{part}, mean over {len(histories)} trainings"
    curves = [history.set_index("epoch")[column] for history in histories]
    mean = pd.concat(curves, axis=1, join="inner").mean(axis=1)  # one may be shorter
    axes.plot(mean.index, mean, marker="o", ms=5, color=colour, label=label)
    if len(curves) > 1:
        for number, curve in enumerate(curves):
            # One entry of the legend stands for all of them.
            of_each = "_" if number else f"{part}, each training"
            axes.plot(curve.index, curve, marker=".", color=colour, lw=0.8, alpha=0.5, label=of_each)
    epochs = pd.concat(histories).epoch
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    # A single epoch has no range of its own.
    axes.set_xlim(epochs.min() - 0.5, epochs.max() + 0.5)
