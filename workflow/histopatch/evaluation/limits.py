"""What the numbers of an experiment do not say, gathered in one place."""

import pandas as pd

SAME_DATA = (
    "What is measured here is measured on patches of one data set. Another laboratory, scanner or stain, or "
    "another share of positives, may give other values; calibration and predictive values suffer first."
)
ONE_CHOSEN = (
    "All choices rest on one data set. How the final model does on others is said under External data; yet "
    "another laboratory, scanner or stain, or another share of positives, may give other values."
)
PATCHES = (
    "The model judges patches, not slides or patients: how its probabilities add up to a diagnosis is not "
    "studied."
)
SYNTHETIC = (
    "The patches are synthetic, drawn by the workflow to try it out: no number here says anything about "
    "tissue."
)
RESEARCH = "This is research software, not a medical device, and not validated for diagnosis."


def describe_limits(runs: pd.DataFrame, seeds: pd.DataFrame, external: bool) -> list[str]:
    """What to bear in mind, a sentence or two each.

    runs: the table of all runs; seeds: the table of those that were trained with several seeds;
    external: whether the final model is measured on external data sets, too.
    """
    limits = []
    if (runs.val_auc_interval == "DeLong").any():
        limits.append(
            "Intervals and tests marked DeLong assume independent patches, which patches of one slide are "
            "not: the true uncertainty is usually larger."
        )
    if runs.val_slides.isna().all() and runs.val_patients.isna().all():
        limits.append(
            "No slides are known. With a slide map validation would be honest: name it in `dataset.slides`, "
            "or put `patch_id_wsi_full.csv` (`id,wsi`) beside Kaggle's labels, and set `group_by: slide`."
        )
    if seeds.empty:
        limits.append(
            "No run was repeated with another seed, which alone changes an AUROC: intervals say how "
            "much other patches would change it."
        )
    return [*limits, ONE_CHOSEN if external else SAME_DATA, PATCHES, RESEARCH]
