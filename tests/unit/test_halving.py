import pytest

from histopatch.halving import Halving, rung_file


@pytest.mark.parametrize(
    ("first", "keep", "epochs", "candidates", "expected"),
    [
        (1, 0.5, 8, 8, {1: 4, 2: 2, 4: 1}),
        (1, 0.5, 4, 8, {1: 4, 2: 2}),  # the whole training is no rung
        (1, 0.5, 100, 3, {1: 2, 2: 1}),  # a single one goes on alone
        (3, 1 / 3, 30, 9, {3: 3, 9: 1}),
        (2, 0.3, 20, 10, {2: 3, 7: 1}),
        (1, 0.9, 4, 3, {1: 2, 2: 1}),  # at least one is stopped
        (5, 0.5, 5, 8, {}),
        (1, 0.5, 8, 1, {}),
        (1, 0.07, 15, 100, {1: 7}),  # 0.07 · 100 is more than 7 by an error of the last digit
    ],
)
def test_rungs_grow_as_runs_are_stopped(first, keep, epochs, candidates, expected):
    assert Halving(first, keep).rungs(epochs, candidates) == expected


@pytest.mark.parametrize("first", [1, 2, 5])
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.75, 0.99])
@pytest.mark.parametrize("epochs", [2, 7, 40])
@pytest.mark.parametrize("candidates", [1, 2, 9, 50])
def test_fewer_epochs_than_the_grid(first, keep, epochs, candidates):
    """Epochs are counted run by run: up to its last rung, or the whole training."""
    rungs = Halving(first, keep).rungs(epochs, candidates)
    spent, left = 0, candidates
    for end, going_on in rungs.items():
        assert 0 < going_on < left
        spent, left = spent + (left - going_on) * end, going_on
    assert spent + left * epochs <= candidates * epochs
    assert [*rungs] == sorted(rungs)


def test_each_rung_has_a_file_of_its_own():
    assert (rung_file(2), rung_file(10)) == ("rung-2.json", "rung-10.json")
