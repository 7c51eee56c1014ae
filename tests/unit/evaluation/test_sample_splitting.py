import numpy as np
import pytest

from histopatch.errors import InputError
from histopatch.evaluation.sample_splitting import Subset, split_in_half


def test_halves_share_no_slide_and_no_patch(predictions):
    whole = predictions(200)
    one, other = split_in_half(Subset("patches", whole))
    assert (one.name, other.name) == ("one half of the patches", "the other half of the patches")
    assert not set(one.predictions.slides) & set(other.predictions.slides)
    assert sorted([*one.predictions.places, *other.predictions.places]) == sorted(whole.places)
    assert {*one.predictions.labels} == {*other.predictions.labels} == {0, 1}


@pytest.mark.parametrize(
    ("slides", "name"), [(None, "one half of the patches"), (1, "one half of the patches, slides divided")]
)
def test_without_several_slides_halves_are_of_patches(predictions, slides, name):
    one, other = split_in_half(Subset("patches", predictions(50, slides=slides)))
    assert one.name == name
    assert (len(one.predictions.places), len(other.predictions.places)) == (25, 25)
    assert abs(int(one.predictions.labels.sum()) - int(other.predictions.labels.sum())) <= 1


def test_where_slides_cannot_be_halved_the_names_say_so(predictions):
    """All positives are of one slide."""
    whole = predictions(40)
    whole = whole._replace(slides=np.where(whole.labels == 1, "a", "b"))
    one, other = split_in_half(Subset("patches", whole))
    assert one.name == "one half of the patches, slides divided"
    assert {*one.predictions.labels} == {*other.predictions.labels} == {0, 1}


def test_too_few_patches_to_halve_are_one_line(predictions):
    whole = predictions(10)._replace(labels=np.array([1, *[0] * 9]))
    with pytest.raises(InputError, match="patches: at least two patches of each class are needed"):
        split_in_half(Subset("patches", whole))
