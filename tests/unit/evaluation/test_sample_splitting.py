import numpy as np
import pytest

from histopatch.errors import InputError
from histopatch.evaluation.split_half import Part, halves


def test_halves_share_no_slide_and_no_patch(kept):
    whole = kept(200)
    one, other = halves(Part("patches", whole))
    assert (one.name, other.name) == ("one half of the patches", "the other half of the patches")
    assert not set(one.kept.slides) & set(other.kept.slides)
    assert sorted([*one.kept.ids, *other.kept.ids]) == sorted(whole.ids)
    assert {*one.kept.labels} == {*other.kept.labels} == {0, 1}


@pytest.mark.parametrize("slides", [None, 1])
def test_without_several_slides_halves_are_of_patches(kept, slides):
    one, other = halves(Part("patches", kept(50, slides=slides)))
    assert (len(one.kept.ids), len(other.kept.ids)) == (25, 25)
    assert abs(int(one.kept.labels.sum()) - int(other.kept.labels.sum())) <= 1


def test_where_slides_cannot_be_halved_the_names_say_so(kept):
    """All positives are of one slide."""
    whole = kept(40)
    whole = whole._replace(slides=np.where(whole.labels == 1, "a", "b"))
    one, other = halves(Part("patches", whole))
    assert one.name == "one half of the patches, slides divided"
    assert {*one.kept.labels} == {*other.kept.labels} == {0, 1}


def test_too_few_patches_to_halve_are_one_line(kept):
    whole = kept(10)._replace(labels=np.array([1, *[0] * 9]))
    with pytest.raises(InputError, match="patches: two of each class are needed"):
        halves(Part("patches", whole))
