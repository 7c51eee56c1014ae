import os

import pytest

from histopatch import cgroups
from histopatch.cores import ALONE, available_cores, core_count


@pytest.fixture(autouse=True)
def cores(monkeypatch, tmp_path):
    """A machine of 64 cores without control groups, of which this process may use three."""
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
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


@pytest.fixture
def quota(tmp_path):
    """Pretend that control groups give these quotas, outermost first, as files of one version."""

    def give(version: int, *texts: str) -> None:
        mount = tmp_path / ("sys/fs/cgroup" if version == 2 else "sys/fs/cgroup/cpu")
        folders = [mount, mount / "job", mount / "job/step"][: len(texts)]
        path = folders[-1].relative_to(mount)
        table = tmp_path / "proc/self/cgroup"
        table.parent.mkdir(parents=True)
        names = "" if version == 2 else "cpu,cpuacct"
        table.write_text(f"7:{names}:/{'' if path == mount else path}\n3:memory:/other\n")
        for folder, text in zip(folders, texts, strict=True):
            folder.mkdir(parents=True, exist_ok=True)
            if version == 2:
                (folder / "cpu.max").write_text(f"{text}\n")
            else:
                limit, period = text.split()
                (folder / "cpu.cfs_quota_us").write_text(f"{limit}\n")
                (folder / "cpu.cfs_period_us").write_text(f"{period}\n")

    return give


@pytest.mark.input(
    "Machine", "A container with a CPU quota", "its quota, rounded up, is the number of its cores"
)
@pytest.mark.parametrize(
    ("version", "texts", "expected"),
    [
        (2, ["200000 100000"], 2),
        (2, ["110000 100000"], 2),  # rounded up
        (2, ["20000 100000"], 1),
        (2, ["max 100000"], 3),
        (2, ["6400000 100000"], 3),  # no more than what the process is bound to
        (2, ["max 100000", "100000 100000", "200000 100000"], 1),  # the limit of a parent holds
        (1, ["150000 100000"], 2),
        (1, ["-1 100000"], 3),
        (1, ["-1 100000", "50000 50000"], 1),
    ],
)
def test_a_quota_of_cpu_time_counts_in_cores(quota, version, texts, expected, monkeypatch):
    quota(version, *texts)
    assert available_cores() == expected
    assert core_count("auto", threads=2) == min(2, expected)
    monkeypatch.setenv(ALONE, "1")
    assert core_count("auto", threads=1) == expected


def test_a_job_has_no_more_threads_than_the_machine_has_cores():
    """`--cores 64` on a machine of three."""
    assert core_count("auto", threads=64) == 3
