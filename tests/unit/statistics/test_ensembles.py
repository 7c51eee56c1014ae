import numpy as np
import pytest

from histopatch.statistics.ensembles import Ensemble, average, rank


@pytest.fixture
def networks() -> np.ndarray:
    """Probabilities of 4 networks for 50 patches."""
    return np.random.default_rng(0).random((4, 50))


def test_one_network_is_its_own_average(networks):
    assert np.array_equal(average(networks[:1], "probability"), networks[0])
    assert average(networks[:1], "logit") == pytest.approx(networks[0], rel=1e-12)


def test_probabilities_are_averaged(networks):
    assert average(networks, "probability") == pytest.approx([sum(patch) / 4 for patch in networks.T])


def test_logits_are_averaged(networks):
    """The odds are then the geometric mean of the odds."""
    found = average(networks, "logit")
    odds = np.prod(networks / (1 - networks), axis=0) ** (1 / 4)
    assert found / (1 - found) == pytest.approx(odds)


def test_a_certain_network_does_not_silence_the_others():
    found = average(np.array([[0.0, 1.0, 1.0], [0.5, 0.5, 0.0]]), "logit")
    assert 0 < found[0] < 0.001
    assert 0.999 < found[1] < 1
    assert found[2] == pytest.approx(0.5)


REFERENCE = np.array([0.2, 0.6, 0.4, 0.6, 0.9])


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        (0.2, 0.1),  # below it none of five, and itself counts half
        (0.4, 0.3),
        (0.6, 0.6),  # two below, two ties
        (0.9, 0.9),
        (0.3, 0.2),  # halfway between two values
        (0.75, 0.75),
        (0.0, 0.0),
        (1.0, 1.0),
        (0.1, 0.05),
        (0.95, 0.95),
    ],
)
def test_a_rank_is_the_share_of_the_reference_below(probability, expected):
    assert rank(np.array([probability]), REFERENCE) == pytest.approx(expected)


def test_ranks_within_the_reference_are_its_midranks():
    scores = np.round(np.random.default_rng(1).random(200), 2)
    expected = [np.mean(scores < score) + np.mean(scores == score) / 2 for score in scores]
    assert rank(scores, scores) == pytest.approx(expected)


def test_a_reference_of_zeros_and_ones_has_ranks_there():
    reference = np.array([0.0, 0.0, 0.5, 1.0])
    assert rank(np.array([0.0, 0.5, 1.0, 0.25]), reference) == pytest.approx([0.25, 0.625, 0.875, 0.4375])
    assert rank(np.array([0.0, 1.0]), np.zeros(3)) == pytest.approx([0.5, 1])


def test_the_rank_of_a_patch_does_not_depend_on_the_others(networks):
    alone = [rank(networks[0][[i]], REFERENCE)[0] for i in range(50)]
    assert np.array_equal(rank(networks[0], REFERENCE), alone)


def test_ranks_keep_the_order_beyond_the_reference(networks):
    order = np.argsort(networks[0])
    assert (np.diff(rank(networks[0], REFERENCE)[order]) > 0).all()


def test_ranks_are_averaged_each_with_its_own_reference(networks):
    references = [networks[1], REFERENCE]
    found = average(networks[2:], "rank", references)
    assert found == pytest.approx((rank(networks[2], networks[1]) + rank(networks[3], REFERENCE)) / 2)


def test_a_single_member_has_no_column_of_its_own(networks):
    columns = Ensemble().predict(networks)
    assert [*columns] == ["probability"]
    assert columns["probability"] == pytest.approx(networks.mean(axis=0))


@pytest.mark.parametrize("by", ["probability", "logit", "rank"])
def test_each_member_is_the_average_of_its_folds(networks, by):
    references = [REFERENCE, REFERENCE**2, REFERENCE**3, REFERENCE**4]
    columns = Ensemble(2, by).predict(networks, references)
    assert [*columns] == ["probability", "member_1", "member_2"]
    assert columns["probability"] == pytest.approx(average(networks, by, references))
    assert columns["member_1"] == pytest.approx(average(networks[:2], by, references[:2]))
    assert columns["member_2"] == pytest.approx(average(networks[2:], by, references[2:]))
