import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from histopatch.data.pool import worker_pool
from histopatch.errors import InputError

WORKFLOW = Path(__file__).parents[3] / "workflow"
# What Snakemake puts before a script, in short: the script is the main program and has no guard.
SCRIPT = """
import multiprocessing
from types import SimpleNamespace
if {method!r}:
    multiprocessing.set_start_method({method!r})
print("the script runs", flush=True)
snakemake = SimpleNamespace(
    log=["pack.log"],
    config={{"runtime": {{"log_level": "info", "workers": 2}}}},
    params=SimpleNamespace(
        dataset={{"format": "kaggle", "root": "data"}}, patch_size=16, images={{}}, code="c0de"
    ),
    wildcards=SimpleNamespace(part="train"),
    input=SimpleNamespace(shards=[]),
    output=SimpleNamespace(array="train.npy", index="index.parquet", rejected="rejected.csv"),
    threads=2,
)
"""


@pytest.mark.input("Machine", "macOS and Python 3.14, which start processes afresh", "packed like elsewhere")
@pytest.mark.parametrize("method", [None, *multiprocessing.get_all_start_methods()])
def test_a_script_without_a_guard_packs_however_processes_start(tmp_path, method):
    (tmp_path / "data/train").mkdir(parents=True)
    for number in range(3):
        Image.new("RGB", (16, 16), (number, 0, 0)).save(tmp_path / f"data/train/{number}.png")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(method=method) + (WORKFLOW / "scripts/pack.py").read_text())
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(WORKFLOW)},
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("the script runs") == 1
    assert np.load(tmp_path / "train.npy")[:, 0, 0, 0].tolist() == [0, 1, 2]


def test_the_main_program_is_hidden_only_while_there_is_a_pool():
    main = sys.modules["__main__"]
    before = dict(main.__dict__)
    with worker_pool(1) as pool:
        assert pool.submit(abs, -1).result() == 1
    assert {name: main.__dict__.get(name) for name in before} == before


def test_nothing_else_makes_processes():
    library = WORKFLOW / "histopatch"
    users = [path.name for path in library.rglob("*.py") if "ProcessPoolExecutor(" in path.read_text()]
    assert users == ["pool.py"]


def test_what_an_error_leaves_to_do_is_not_done():
    with pytest.raises(KeyError), worker_pool(1) as pool:
        tasks = [pool.submit(time.sleep, 0.05) for _ in range(50)]
        raise KeyError
    assert tasks[-1].cancelled()


def test_a_worker_that_is_killed_is_one_line():
    message = "^one of 2 processes that share the work was ended from outside; memory may have run out"
    with pytest.raises(InputError, match=message), worker_pool(2) as pool:
        pool.submit(time.sleep, 60)
        time.sleep(0.5)
        pool.submit(os.kill, psutil.Process().children()[0].pid, signal.SIGKILL).result()
        pool.submit(time.sleep, 60).result()
