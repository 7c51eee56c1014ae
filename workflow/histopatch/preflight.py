"""What files alone can tell, before any job: that all of an experiment is there and can be read."""

from pathlib import Path

from histopatch.data.images import check_there_are_some, commonest_size
from histopatch.data.slides import slides_of
from histopatch.errors import InputError
from histopatch.experiment import Experiment


def check_inputs(experiment: Experiment) -> None:
    """Raise InputError for the first thing that would stop a job."""
    dataset = experiment.dataset
    dataset.check()
    if dataset.recipe:
        return  # the workflow makes the rest
    for part in dataset.parts:
        check_there_are_some(dataset.images(part))
    patch_size(dataset)
    ids, known = dataset.labels().id, dataset.slides()
    for name, split in experiment.splits.items():
        try:
            slides_of(ids[ids != ""], known, split.group_by, split.unmapped)
        except InputError as error:
            raise InputError(f"experiments.{experiment.name}.splits.{name}.{error}") from None
    for run in experiment.runs.values():
        weights = run.settings.weights
        if weights not in ("imagenet", "none") and not Path(weights).is_file():
            raise InputError(f"weights: {weights!r} is neither `imagenet`, `none` nor a file")


def patch_size(dataset) -> int:
    """Height and width of the patches of a data set in pixels; `auto` takes the commonest that has labels."""
    if dataset.patch_size != "auto":
        return dataset.patch_size
    return commonest_size(dataset.images("train"))
