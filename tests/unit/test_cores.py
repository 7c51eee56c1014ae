import os

from histopatch.cores import core_count


def test_a_number_is_taken_as_it_is():
    assert core_count(3) == 3


def test_auto_is_every_core_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {4, 9, 11}, raising=False)
    assert core_count("auto") == 3


def test_auto_is_every_core_where_the_system_tells_no_more(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert core_count("auto") == 64
