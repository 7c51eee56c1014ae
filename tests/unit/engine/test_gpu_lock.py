"""With real processes: what a lock is for is their ends."""

import contextlib
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time

import pytest

from histopatch.engine import gpu_lock
from histopatch.engine.gpu_lock import free_gpus
from histopatch.fingerprints import LIBRARY
from histopatch.locks import alone, try_lock

KEYS = ("gpu-a", "gpu-b")

HOLD = """
import sys, time
from pathlib import Path
from histopatch.engine.gpu_lock import free_gpus
with free_gpus(sys.argv[2:], folder=Path(sys.argv[1])) as (index,):
    print(sys.argv[2:][index], flush=True)
    time.sleep(600)
"""


@pytest.fixture
def start(tmp_path):
    """Start a process that takes a GPU, and wait until it says which."""
    with contextlib.ExitStack() as started:

        def run(*keys: str) -> tuple[subprocess.Popen, str]:
            process = subprocess.Popen(
                [sys.executable, "-c", HOLD, str(tmp_path), *keys],
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONPATH": str(LIBRARY.parent)},
            )
            started.callback(end, process)
            return process, process.stdout.readline().strip()

        yield run


def end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    process.stdout.close()


def test_each_job_has_a_gpu_of_its_own_whatever_it_is_called(start):
    (_, first), (_, second) = start(*KEYS), start(*reversed(KEYS))
    assert {first, second} == set(KEYS)


def test_the_gpu_of_a_job_that_was_killed_is_free(start, tmp_path):
    process, held = start(*KEYS)
    start(*KEYS)
    end(process)
    with free_gpus(KEYS, folder=tmp_path) as (index,):
        assert KEYS[index] == held


def test_a_job_waits_with_one_line_while_all_are_taken(start, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(gpu_lock, "POLL_SECONDS", 0.05)
    process, held = start(*KEYS)
    start(*KEYS)
    threading.Timer(0.5, process.kill).start()
    began = time.monotonic()
    with caplog.at_level(logging.INFO), free_gpus(KEYS, folder=tmp_path) as (index,):
        assert time.monotonic() - began > 0.3
        assert KEYS[index] == held
    (record,) = caplog.records
    assert record.getMessage() == "waiting for a GPU: other jobs hold all"


@pytest.mark.parametrize("error", [None, KeyError, BlockingIOError])
def test_a_gpu_is_free_again_after_its_job(tmp_path, error):
    with contextlib.suppress(KeyError, BlockingIOError), free_gpus(["a"], folder=tmp_path):
        if error:
            raise error
    with free_gpus(["a"], folder=tmp_path) as (index,):
        assert index == 0


JOB = """
import sys
from pathlib import Path
from histopatch.engine.gpu_lock import free_gpus
with free_gpus(sys.argv[2:], folder=Path(sys.argv[1])) as (index,):
    print(sys.argv[2:][index], flush=True)
    sys.stdin.readline()
"""


def test_ten_jobs_share_four_gpus_whichever_of_them_are_killed(tmp_path):
    """Never two jobs on one GPU, and none is idle while jobs wait."""
    keys = ["gpu-a", "gpu-b", "gpu-c", "gpu-d"]
    with contextlib.ExitStack() as started:
        waiting, holders, served = set(), {}, 0
        for number in range(10):
            process = subprocess.Popen(
                # Each calls the GPUs by other numbers.
                [sys.executable, "-c", JOB, str(tmp_path), *keys[number % 4 :], *keys[: number % 4]],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env=os.environ | {"PYTHONPATH": str(LIBRARY.parent)},
            )  # fmt: skip
            started.callback(end, process)
            waiting.add(process)
        while waiting or holders:
            while waiting and len(holders) < len(keys):
                by_output = {process.stdout: process for process in waiting}
                ready, _, _ = select.select([*by_output], [], [], 60)
                assert ready, f"{set(keys) - set(holders)} idle while {len(waiting)} jobs wait"
                for output in ready:
                    key = output.readline().strip()
                    assert key in keys
                    assert key not in holders
                    holders[key] = by_output[output]
                    waiting.remove(by_output[output])
                    served += 1
            # All are taken: nobody else gets one, for longer than it takes a job that waits to look again.
            outputs = [process.stdout for process in waiting]
            assert not select.select(outputs, [], [], 1.5 * gpu_lock.POLL_SECONDS if outputs else 0)[0]
            holder = holders.pop(min(holders))
            if served % 2:
                holder.kill()
                assert holder.wait() == -signal.SIGKILL
            else:
                holder.communicate("over\n")
                assert holder.returncode == 0
    assert served == 10


def test_a_job_that_waits_for_two_holds_none(start, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(gpu_lock, "POLL_SECONDS", 0.05)
    process, held = start(*KEYS)
    taken = []

    def take_both():
        with free_gpus(KEYS, 2, tmp_path) as places:
            taken.append(places)

    with caplog.at_level(logging.INFO):
        waiting = threading.Thread(target=take_both, daemon=True)
        waiting.start()
        (other,) = {*KEYS} - {held}
        for _ in range(5):
            time.sleep(0.1)
            with alone(tmp_path), open(tmp_path / other, "w") as file:  # while it is not looking
                assert try_lock(file, other)
        assert not taken
        end(process)
        waiting.join(timeout=30)
    assert taken == [[0, 1]]
    assert "waiting for 2 GPUs: other jobs hold too many" in caplog.messages


PAIRS = """
import sys, time
from pathlib import Path
from histopatch.engine import gpu_lock
gpu_lock.POLL_SECONDS = 0.01
folder, keys = Path(sys.argv[1]), sys.argv[2:]
for _ in range(20):
    with gpu_lock.free_gpus(keys, 2, folder) as places:
        marks = [folder / f"{keys[place]}.mine" for place in places]
        for mark in marks:
            mark.touch(exist_ok=False)  # nobody else has it
        time.sleep(0.002)
        for mark in marks:
            mark.unlink()
"""


def test_jobs_that_want_two_of_three_gpus_all_get_them_and_have_them_alone(tmp_path):
    """Though they call them by other numbers: each takes the first that is free."""
    keys = ["gpu-a", "gpu-b", "gpu-c"]
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", PAIRS, str(tmp_path), *keys[number:], *keys[:number]],
            env=os.environ | {"PYTHONPATH": str(LIBRARY.parent)},
        )
        for number in range(3)
    ]
    try:
        assert [job.wait(timeout=60) for job in jobs] == [0, 0, 0]
    finally:
        for job in jobs:
            job.kill()
