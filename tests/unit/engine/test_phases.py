import pytest

from histopatch.engine.phases import Phases


def test_seconds_are_kept_by_phase_in_their_order(clock):
    phases = Phases()
    for name, seconds in (("model", 0.02), ("data", 0.0), ("model", 0.03)):
        with phases.phase(name):
            clock.now += seconds
    assert list(phases.seconds) == ["model", "data"]
    assert phases.seconds == pytest.approx({"model": 0.05, "data": 0}, abs=1e-3)


def test_a_phase_that_fails_is_timed_too():
    phases = Phases()
    with pytest.raises(KeyError), phases.phase("data"):
        raise KeyError
    assert "data" in phases.seconds
