"""The final model on each group of patches: sites, scanners, slides, and patches that look alike."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

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
        for value in sorted({*values} - {""}):
            chosen = values == value
            of_these = chosen[places]
            row = _area(measured, chosen, of_measured, measured.unit)
            row |= _rates(reporting, of_these, of_reporting, threshold)
            rows.append({"group": group, "value": value} | row)
    write_table(pd.DataFrame(rows).astype({"units": "Int64"}), subgroups)
    write_table(pd.DataFrame(tested), tests)


def _groupings(
    patches: Database, measured: Predictions, clusters: str, named: str | None
) -> dict[str, np.ndarray]:
    """The group of each patch as a text, empty where it has none, by what they are grouped by."""
    found = {}
    if named:
        patches.load("named", read_blocks(named), {"id": "VARCHAR", "group": "VARCHAR", "value": "VARCHAR"})
        for name in patches.table('SELECT DISTINCT "group" AS name FROM named ORDER BY name').name:
            found[name] = _values(patches, 'SELECT * FROM named WHERE "group" = ?', name)[measured.places]
    patches.load("clusters", read_blocks(clusters))
    found["appearance"] = _values(patches, "SELECT * FROM clusters")[measured.places]
    if measured.slides is not None:
        found["slide"] = called(pd.Series(measured.slides)).to_numpy()
    return found


def _values(patches: Database, query: str, *values) -> np.ndarray:
    """The `value` that a query finds of each patch by its `id`, in their order; empty texts where none is."""
    patches.run(f"CREATE OR REPLACE TABLE grouped AS {query}", *values)
    patches.run(
        """CREATE OR REPLACE TABLE valued AS
        SELECT patches.place, coalesce(value::VARCHAR, '') AS value
        FROM patches LEFT JOIN grouped USING (id)"""
    )
    return patches.compact("SELECT value FROM valued ORDER BY place").value.to_numpy()


def _units(predictions: Predictions, group: str) -> np.ndarray | None:
    """What is independent within a group: slides or patients, and within a slide its patches (None)."""
    return None if group == "slide" else predictions.units


def _area(measured: Predictions, chosen: np.ndarray, units: np.ndarray | None, unit: str) -> dict:
    """The AUROC of some patches (N booleans) with its interval; without one, why there is none."""
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
    """RATES of some patches (N booleans) at a threshold; None where there is no patch to tell."""
    if not chosen.any():
        return {"threshold": threshold} | dict.fromkeys(RATES)
    own = None if units is None else units[chosen]
    found = at_threshold(reporting.labels[chosen], reporting.probabilities[chosen], threshold, (), own)
    return {"threshold": threshold} | {name: found[name] for name in RATES}
