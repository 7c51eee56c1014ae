"""What the trainings of the studies cost, beside what they reached, in words."""

import pandas as pd

from histopatch.evaluation.markdown import code
from histopatch.evaluation.split_descriptions import in_short
from histopatch.failures import finished


def describe_cost(runs: pd.DataFrame) -> str:
    """How long all trainings took together, and the best and the fastest run of them.

    runs: the table of all runs; one of several studies counts once. Runs are compared with those that are
    validated on the same kind of patches as most.
    """
    trained = finished(runs).drop_duplicates("folder")
    kind = trained.validated_on.mode()[0]
    alike = trained[trained.validated_on == kind]
    best, fastest = alike.loc[alike.final_val_auc.idxmax()], alike.loc[alike.train_seconds.idxmin()]
    on = in_short(kind)
    total = f"The {len(trained)} trained runs took {duration(trained.train_seconds.sum())} together."
    if len(trained) == 1:
        return f"One run was trained: {_run(best)}."
    if best.folder == fastest.folder:
        return f"{total} Of those validated on {on}, {_run(best)} is the best and the fastest."
    return f"{total} Of those validated on {on}, {_run(best)} is the best, {_run(fastest)} the fastest."


def duration(seconds: float) -> str:
    """A time in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def _run(run: pd.Series) -> str:
    features = "" if run.feature_head == "none" else ", its features not counted"
    return f"{code(run.run)} (AUROC {run.final_val_auc:.4f} in {duration(run.train_seconds)}{features})"
