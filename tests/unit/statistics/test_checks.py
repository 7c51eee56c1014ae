import numpy as np
import pytest

from histopatch.errors import InputError
from histopatch.statistics import checks


@pytest.mark.parametrize("labels", [[0, 1, 1], [False, True, True], np.array([0.0, 1.0, 1.0])])
def test_labels_become_booleans(labels):
    assert checks.binary_labels(labels, both=True).tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], "need a list of 0 and 1"),
        ([[0, 1]], "need a list of 0 and 1"),
        ([0, 1, 2], "2 in row 2 is neither 0 nor 1"),
        ([0, np.nan], "nan in row 1 is neither 0 nor 1"),
        ([1, 1, 1], "all 3 are positive"),
        ([0], "all 1 are negative"),
    ],
)
def test_labels_that_cannot_be_are_one_line(labels, message):
    with pytest.raises(InputError, match=f"^labels: {message}[^\n]*$"):
        checks.binary_labels(labels, both=True)


def test_one_class_is_enough_where_it_is():
    assert checks.binary_labels([1, 1]).all()


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([1.0], "give one score each"),
        ([1.0, 2.0, 3.0], "give one score each"),
        ([0.0, np.nan], "nan in row 1"),
        ([np.inf, 0.0], "inf in row 0"),
    ],
)
def test_scores_that_cannot_be_are_one_line(scores, message):
    with pytest.raises(InputError, match=f"^scores: [^\n]*{message}[^\n]*$"):
        checks.finite_scores(scores, 2)


@pytest.mark.parametrize("outside", [-1e-9, 1.1])
def test_probabilities_end_at_0_and_1(outside):
    assert checks.valid_probabilities([0, 1], 2).tolist() == [0, 1]
    with pytest.raises(InputError, match=r"in row 1 is outside \[0, 1\]"):
        checks.valid_probabilities([0.5, outside], 2)


def test_slides_are_numbered_in_the_order_in_which_they_come():
    assert checks.slide_codes(["b", "a", "b"], 3).tolist() == [0, 1, 0]
    assert checks.slide_codes([7, 7, 3], 3).tolist() == [0, 0, 1]


@pytest.mark.parametrize("missing", ["", None, np.nan])
def test_a_patch_without_a_slide_is_named(missing):
    with pytest.raises(InputError, match="the patch in row 1 has no slide"):
        checks.slide_codes(np.array(["a", missing], object), 2)


def test_each_patch_needs_a_slide():
    with pytest.raises(InputError, match="slides: 1 slides do not match 2 patches"):
        checks.slide_codes(["a"], 2)
