"""What files alone can tell, before any job: that all of an experiment is there and can be read."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd

from histopatch.backbones.initial import check_initial
from histopatch.backbones.timm_names import check_name
from histopatch.data.class_counts import check_possible
from histopatch.data.external import check_both_classes
from histopatch.data.formats.format import Format
from histopatch.data.given_parts import parts_of
from histopatch.data.group_table import (
    TAKEN,
    by_column,
    check_known,
    groups_of,
    read_groups,
    units_of_groups,
)
from histopatch.data.images import check_there_are_some, commonest_size
from histopatch.data.labels import shown
from histopatch.data.matching import fit_ids
from histopatch.data.slides import check_mapped, find_slides, source_of
from histopatch.data.test_ids import check_test_ids
from histopatch.data.units import UNITS, units_of
from histopatch.database import ROWS, Database, database
from histopatch.errors import InputError
from histopatch.experiment import Experiment
from histopatch.faults import unknown
from histopatch.files import compact
from histopatch.settings import Settings, Split


def check_inputs(experiment: Experiment, gpus: int | None = None) -> None:
    """Raise InputError for the first thing that would stop a job.

    gpus: how many the call offers, where it says so.
    """
    dataset = experiment.dataset
    for key, settings in _named_settings(experiment).items():
        _check_network(key, settings)
        _check_gpus(key, settings, gpus)
    dataset.check()
    for name, external in experiment.external.items():
        _check_external(f"experiments.{experiment.name}.external.{name}", external)
    for key, settings in _named_settings(experiment).items():
        _check_balance(key, settings, dataset)
    if dataset.recipe:
        return  # the workflow makes the rest
    for part in dataset.parts:
        check_there_are_some(dataset.images(part))
    patch_size(dataset)
    groups = _groups(experiment)
    check_test_ids(dataset, experiment.final.unusable_images)
    _check_splits(experiment, groups)


def _check_external(key: str, dataset: Format) -> None:
    """Raise InputError, which names the key, for an external data set that cannot be measured on."""
    try:
        dataset.check()
        if dataset.recipe:
            return
        check_there_are_some(dataset.images("train"))
        patch_size(dataset)
        with database() as tables:
            _find_usable(tables, dataset)
            check_both_classes(*tables.row("SELECT count(*), coalesce(sum(label), 0) FROM patches"))
            find_slides(tables, dataset)
    except InputError as error:
        raise InputError(f"{key}: {error}") from None


def _named_settings(experiment: Experiment) -> dict[str, Settings]:
    """The settings of every run by the key of the configuration that stands for it."""
    named = {
        run.folder: f"studies.{study}.{name}"
        for study, runs in experiment.studies.items()
        for name, run in runs.items()
    }
    return {
        f"experiments.{experiment.name}.{named.get(folder, 'final.overrides')}": run.settings
        for folder, run in experiment.runs.items()
    }


def _check_network(key: str, settings: Settings) -> None:
    """Raise InputError, which names the run, for a backbone or initial weights that cannot be any."""
    try:
        check_name(settings.backbone)
    except InputError as error:
        raise InputError(f"{key}.{error}") from None
    try:
        check_initial(settings.weights)
    except InputError as error:
        raise InputError(f"{key}.weights: {str(error).removeprefix('weights: ')}") from None


def _check_gpus(key: str, settings: Settings, offered: int | None) -> None:
    """Raise InputError for a run that asks for more GPUs than the call offers: Snakemake would not say so."""
    if offered is not None and settings.gpus > offered:
        raise InputError(
            f"{key}.gpus: {settings.gpus} are asked for, and the call offers {offered}; call snakemake with "
            f"--resources gpu={settings.gpus}, or lower gpus"
        )


def _check_balance(key: str, settings: Settings, dataset: Format) -> None:
    """Raise InputError where a run is to see each slide as often as any other, and no slide is known."""
    if "slide" in settings.balance and "slide" not in dataset.known_groups:
        raise InputError(
            f"{key}.balance: {settings.balance!r} needs to know the slides; give dataset.slides, or choose "
            "`class` or `none`"
        )


def _groups(experiment: Experiment) -> pd.DataFrame | None:
    """The table of groups, where there is one; InputError where it names what the data set does not have."""
    if experiment.groups is None:
        return None
    if not Path(experiment.groups).is_file():
        raise InputError(
            f"{experiment.groups}: no such file; dataset.groups names a table with `id` or `slide` and groups"
        )
    dataset, groups = experiment.dataset, read_groups(experiment.groups)
    listed = (pd.DataFrame({"id": [*dataset.images(part).ids]}, dtype=str) for part in dataset.parts)
    ids = pd.concat([rows.id for rows in itertools.chain(dataset.labels(), listed)]).drop_duplicates()
    slides = [rows.slide for rows in dataset.slides() or () if "slide" in rows]
    check_known(experiment.groups, groups, ids, pd.concat([pd.Series([""], dtype=str), *slides]))
    return groups


def _check_splits(experiment: Experiment, groups: pd.DataFrame | None) -> None:
    """Raise InputError for a split that the labels, slides and parts of the data set rule out.

    Images that turn out to be unusable are not known yet: the job that splits checks the same again.
    """
    dataset = experiment.dataset
    with database() as tables:
        _find_usable(tables, dataset)
        known = tables.table("SELECT DISTINCT label FROM patches").label
        if known.empty:
            return  # which cleaning reports, with the reasons
        if missing := {0, 1} - {*known}:
            others = tables.table(
                """SELECT label, count(*) AS count FROM rows WHERE label NOT IN ('', '0', '1')
                GROUP BY label ORDER BY count DESC, min(place)"""
            )
            raise InputError(
                f"{dataset.where}: no image has the label {missing.pop()}, and both 0 and 1 are needed"
                + (
                    f"; correct those that are neither: {shown(others.set_index('label')['count'])}"
                    if len(others)
                    else ""
                )
            )
        find_slides(tables, dataset)
        patches = tables.compact("SELECT label::TINYINT AS label, slide, patient FROM patches ORDER BY place")
        named = None
        if groups is not None:
            named = compact(rows.drop(columns="id") for rows in groups_of(tables, groups))
        for name, split in experiment.splits.items():
            try:
                units = _units(split, patches, named)
                check_mapped(tables, split.group_by, split.unmapped, source_of(dataset))
                if split.parts == "given":
                    parts_of(tables, dataset, split)
                else:
                    check_possible(patches.label.to_numpy(), units, split)
            except InputError as error:
                raise InputError(f"experiments.{experiment.name}.splits.{name}.{error}") from None


def _units(split: Split, found: pd.DataFrame, named: pd.DataFrame | None) -> np.ndarray | None:
    """What stays on one side of a split as far as tables say it: a number for each patch, or None."""
    if by_column(split.group_by):
        if split.group_by not in named:
            raise InputError(f"group_by: {unknown('column', split.group_by, [*TAKEN, *named])}")
        return units_of_groups(found, named[split.group_by], split.group_by, split.unmapped)
    return units_of(found, split.group_by) if split.group_by in UNITS else None


def _find_usable(tables: Database, dataset: Format) -> None:
    """Make the table `patches` (`place,id,label`): those that have an image and one label of 0 or 1.

    Their places are those of label rows, so that some are missing. `rows` are all label rows then.
    """
    images = dataset.images("train").ids
    parts = (images[start : start + ROWS] for start in range(0, len(images), ROWS))
    tables.load("images", (pd.DataFrame({"id": [*part]}, dtype=str) for part in parts))
    tables.load("rows", dataset.labels())
    fit_ids(tables, "rows", "images")
    tables.run(
        """CREATE TABLE patches AS
        SELECT min(place) AS place, id, min(label)::TINYINT AS label FROM rows SEMI JOIN images USING (id)
        WHERE label IN ('0', '1') GROUP BY id HAVING min(label) = max(label)"""
    )


def patch_size(dataset) -> int:
    """Height and width of the patches of a data set in pixels; `auto` takes the commonest that has labels."""
    if dataset.patch_size != "auto":
        return dataset.patch_size
    return commonest_size(dataset.images("train"))
