"""What files alone can tell, before any job: that all of an experiment is there and can be read."""

from histopatch.backbones.initial import check_initial
from histopatch.data.images import check_there_are_some, commonest_size
from histopatch.data.slides import slides_of
from histopatch.errors import InputError
from histopatch.evaluation.test_ids import check_test_ids
from histopatch.experiment import Experiment


def check_inputs(experiment: Experiment) -> None:
    """Raise InputError for the first thing that would stop a job."""
    _check_weights(experiment)
    dataset = experiment.dataset
    dataset.check()
    if dataset.recipe:
        return  # the workflow makes the rest
    for part in dataset.parts:
        check_there_are_some(dataset.images(part))
    patch_size(dataset)
    check_test_ids(dataset, experiment.final.unusable_images)
    ids, known = dataset.labels().id, dataset.slides()
    for name, split in experiment.splits.items():
        try:
            slides_of(ids[ids != ""], known, split.group_by, split.unmapped)
        except InputError as error:
            raise InputError(f"experiments.{experiment.name}.splits.{name}.{error}") from None


def _check_weights(experiment: Experiment) -> None:
    """Raise InputError, which names the runs, for initial weights that cannot be any."""
    named = {
        run.folder: f"studies.{study}.{name}"
        for study, runs in experiment.studies.items()
        for name, run in runs.items()
    }
    for folder, run in experiment.runs.items():
        try:
            check_initial(run.settings.weights)
        except InputError as error:
            key = f"experiments.{experiment.name}.{named.get(folder, 'final.overrides')}.weights"
            raise InputError(f"{key}: {str(error).removeprefix('weights: ')}") from None


def patch_size(dataset) -> int:
    """Height and width of the patches of a data set in pixels; `auto` takes the commonest that has labels."""
    if dataset.patch_size != "auto":
        return dataset.patch_size
    return commonest_size(dataset.images("train"))
