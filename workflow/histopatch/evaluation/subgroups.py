"""The final model on each group of patches: sites, scanners, slides, and patches that look alike."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from histopatch.data.group_table import read_named, values_of
from histopatch.data.units import called
from histopatch.database import Database
from histopatch.evaluation.ensemble import read_measured
from histopatch.evaluation.predictions import Predictions, known_patches
from histopatch.evaluation.sample_splitting import Subset, split_in_half
from histopatch.files import read_blocks, read_table, write_table
from histopatch.statistics.auroc import delong, jackknife_by_slide, slides_of_the_rarer_class
from histopatch.statistics.ensembles import Ensemble
from histopatch.statistics.heterogeneity import heterogeneity
from histopatch.statistics.operating_points import BALANCED, at_threshold

RATES = [
    f"{rate}{bound}" for rate in ("sensitivity", "specificity", "ppv") for bound in ("", "_low", "_high")
]


def subgroup_tables(
    predictions: Sequence[str],
    held_out: str | None,
    ensemble: Ensemble,
    split_table: str,
    operating_points: str,
    clusters: str,
    named: str | None,
    subgroups: str,
    tests: str,
) -> None:
    """Measure the final model on each group of the patches that it is measured on, and compare the groups.

    predictions, held_out, ensemble, split_table: as of `final_tables`; operating_points: its table;
    clusters: CSV `id,value`, the appearance of each patch; named: CSV `id,group,value`, or None.

    subgroups: a row for each `value` of a `group` (a column of the table, `appearance`, and `slide` where
    slides are known) with `patches`, `positive`, `units` (how many slides or patients, empty where unknown),
    the AUROC as `auc,auc_low,auc_high`, RATES at the `threshold` of BALANCED, and in `note` why something is
    missing. Intervals are by slide or patient where these are known, those of a slide by patch. Where nothing
    is held out, the rates are of the half of the patches that did not choose the threshold. tests: a row for
    each `group`, with how many of its `groups` are compared, and an F test that their AUROCs are equal.
    """
    with known_patches(split_table) as patches:
        measured = read_measured(predictions, held_out, ensemble, patches).together
        groupings = _groupings(patches, measured, clusters, named)
    reporting = measured
    if not held_out:
        reporting = split_in_half(Subset("validation patches", measured))[1].predictions
    places = pd.Index(measured.places).get_indexer(reporting.places)
    threshold = float(read_table(operating_points).set_index("point").threshold[BALANCED])
    rows, tested = [], []
    for group, values in groupings.items():
        of_measured, of_reporting = _units(measured, group), _units(reporting, group)
        found = heterogeneity(measured.labels, measured.probabilities, values, of_measured)
        tested.append({"group": group, **found._asdict()})
        reported = pd.Series(values[places]).groupby(values[places]).indices
        for value, chosen in pd.Series(values).groupby(values).indices.items():
            if value != "":
                row = _area(measured, chosen, of_measured, measured.unit)
                row |= _rates(reporting, reported.get(value, np.array([], int)), of_reporting, threshold)
                rows.append({"group": group, "value": value} | row)
    write_table(pd.DataFrame(rows).astype({"units": "Int64"}), subgroups)
    write_table(pd.DataFrame(tested), tests)


def _groupings(
    patches: Database, measured: Predictions, clusters: str, named: str | None
) -> dict[str, np.ndarray]:
    """The group of each patch as a text, empty where it has none, by what they are grouped by."""
    found = {}
    if named:
        for name in sorted({name for rows in read_blocks(named, ["group"]) for name in rows.group.unique()}):
            found[name] = values_of(patches, read_named(named, name), named).to_numpy()[measured.places]
    found["appearance"] = values_of(patches, read_blocks(clusters), clusters).to_numpy()[measured.places]
    if measured.slides is not None:
        found["slide"] = called(pd.Series(measured.slides)).to_numpy()
    return found


def _units(predictions: Predictions, group: str) -> np.ndarray | None:
    """What is independent within a group: slides or patients, and within a slide its patches (None)."""
    return None if group == "slide" else predictions.units


def _area(measured: Predictions, chosen: np.ndarray, units: np.ndarray | None, unit: str) -> dict:
    """The AUROC of the patches in some rows with its interval; without one, why there is none."""
    labels, probabilities = measured.labels[chosen], measured.probabilities[chosen]
    facts = {"patches": len(labels), "positive": int(labels.sum()), "units": None}
    facts |= dict.fromkeys(("auc", "auc_low", "auc_high", "note"))
    own = None if units is None else units[chosen]
    if own is not None:
        facts["units"] = len(np.unique(own))
    if labels.min() == labels.max():
        return facts | {"note": f"{'positive' if labels[0] else 'negative'} patches only"}
    if own is None:
        interval = delong(labels, probabilities)
    else:
        interval = jackknife_by_slide(labels, probabilities, own)
        if slides_of_the_rarer_class(labels, own) < 2:
            facts["note"] = f"fewer than two {unit}s with positives or with negatives"
    return facts | dict(zip(("auc", "auc_low", "auc_high"), interval, strict=True))


def _rates(reporting: Predictions, chosen: np.ndarray, units: np.ndarray | None, threshold: float) -> dict:
    """RATES of the patches in some rows at a threshold; None where there is no patch to tell."""
    if not len(chosen):
        return {"threshold": threshold} | dict.fromkeys(RATES)
    own = None if units is None else units[chosen]
    found = at_threshold(reporting.labels[chosen], reporting.probabilities[chosen], threshold, (), own)
    return {"threshold": threshold} | {name: found[name] for name in RATES}
