import os

import pytest

from histopatch.cores import ALONE, available_cores, core_count


@pytest.fixture(autouse=True)
def cores(monkeypatch):
    """A machine of 64 cores, of which this process may use three."""
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {4, 9, 11}, raising=False)
    monkeypatch.delenv(ALONE, raising=False)


def test_a_number_is_taken_as_it_is(monkeypatch):
    assert core_count(7, threads=2) == 7
    monkeypatch.setenv(ALONE, "1")
    assert core_count(7, threads=2) == 7


def test_auto_is_the_share_of_a_job_beside_others(monkeypatch):
    assert core_count("auto", threads=2) == 2
    monkeypatch.setenv(ALONE, "0")
    assert core_count("auto", threads=2) == 2


def test_auto_is_every_core_for_a_job_that_is_alone(monkeypatch):
    """Though `--cores 1`, for one job at a time, gives it one thread."""
    monkeypatch.setenv(ALONE, "1")
    assert core_count("auto", threads=1) == 3


def test_what_is_available_is_every_core_that_this_process_may_use():
    assert available_cores() == 3


def test_it_is_every_core_where_the_system_tells_no_more(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert available_cores() == 64
