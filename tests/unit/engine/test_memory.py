import os
import platform
import subprocess
import sys

import psutil
import pytest

from histopatch import cgroups, cores
from histopatch.engine.memory import available_bytes

GB = 10**9


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Pretend that the machine has 20 GB to spare and these files."""
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 20 * GB}))

    def write(**files: str) -> None:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return write


def v2(group: str, limit: str, used: int, cache: int = 0) -> dict[str, str]:
    folder = f"sys/fs/cgroup/{group}"
    return {
        f"{folder}/memory.max": f"{limit}\n",
        f"{folder}/memory.current": f"{used}\n",
        f"{folder}/memory.stat": f"anon 7\ninactive_file {cache // 4}\nactive_file {cache * 3 // 4}\n",
    }


def v1(group: str, limit: int, used: int, cache: int = 0) -> dict[str, str]:
    folder = f"sys/fs/cgroup/memory/{group}"
    return {
        f"{folder}/memory.limit_in_bytes": f"{limit}\n",
        f"{folder}/memory.usage_in_bytes": f"{used}\n",
        f"{folder}/memory.stat": (
            f"cache 7\ntotal_inactive_file {cache // 4}\ntotal_active_file {cache * 3 // 4}\n"
        ),
    }


def test_without_groups_it_is_what_the_machine_has(system):
    assert available_bytes() == 20 * GB


@pytest.mark.parametrize("make", [v1, v2])
@pytest.mark.parametrize("seen_from", ["outside", "inside"])
def test_a_limit_less_what_is_used_is_left(system, make, seen_from):
    """Inside a container, the group is named as outside but mounted as the root."""
    table = {v2: "0::/job/7\n", v1: "5:cpu,cpuacct:/job/7\n4:memory:/job/7\n"}[make]
    system(**{"proc/self/cgroup": table})
    system(**make("job/7" if seen_from == "outside" else "", 8 * GB, 3 * GB))
    assert available_bytes() == 5 * GB


@pytest.mark.parametrize("make", [v1, v2])
def test_cached_files_are_given_up_when_memory_is_needed(system, make):
    system(**{"proc/self/cgroup": "0::/\n4:memory:/\n"}, **make("", 8 * GB, 3 * GB, cache=2 * GB))
    assert available_bytes() == 7 * GB


def test_the_limit_of_a_parent_holds(system):
    system(**{"proc/self/cgroup": "0::/job/step\n"})
    system(**v2("job", 4 * GB, 1 * GB), **v2("job/step", "max", 1 * GB))
    assert available_bytes() == 3 * GB


def test_a_group_without_a_limit_leaves_what_the_machine_has(system):
    system(**{"proc/self/cgroup": "0::/\n4:memory:/\n"}, **v2("", "max", 1 * GB))
    system(**v1("", 2**63 - 4096, 1 * GB))
    assert available_bytes() == 20 * GB


def test_more_used_than_allowed_leaves_nothing(system):
    system(**{"proc/self/cgroup": "0::/\n"}, **v2("", 1 * GB, 2 * GB))
    assert available_bytes() == 0


KEEPING = """
import os, psutil
from histopatch.engine.memory import giving_back_memory

def resident():
    return psutil.Process().memory_info().rss / 1e6

pieces = [os.urandom(10**6) for _ in range(200)]
between = os.urandom(10)  # above the pieces, so that the heap cannot shrink at its end
full = resident()
del pieces
freed = resident()
with giving_back_memory():
    at_work, pieces = resident(), [os.urandom(10**6) for _ in range(200)]
    del pieces
print(full - freed, full - at_work, full - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked for memory")
def test_a_job_keeps_what_it_frees_until_another_kind_of_work_begins_and_ends():
    environment = os.environ | cores.ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", KEEPING], env=environment, capture_output=True, check=True)
    freed, before, after = map(float, done.stdout.split())
    assert freed < 20 < 180 < min(before, after)


TRAINING = """
import sys
import numpy as np, psutil, torch
from pathlib import Path
from histopatch.engine.loop import Subset, fit
from histopatch.engine.patches import Patches
from histopatch.engine.phases import Phases
from histopatch.engine.train import make_network
from histopatch.settings import Settings

pack = Path(sys.argv[1], "train.npy")
np.save(pack, np.random.default_rng(0).integers(0, 256, (80, 96, 96, 3), dtype=np.uint8))
settings = Settings(
    backbone="resnet18", weights="none", image_size=96, batch_size=32, epochs=1, precision="fp32",
    lr=1e-4, seed=0, split="main",
)
patches, rows = Patches(str(pack), torch.device("cpu")), torch.arange(80)
before = psutil.Process().memory_info().rss
network, micro_batch, _ = make_network(settings, patches.device, pack.with_name("formats"), Phases())
part = Subset(rows, (rows % 2).float())
fit(network, settings, patches, part, part, micro_batch)
peak = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) * 1024
print(peak - before, psutil.Process().memory_info().rss - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked for memory")
def test_a_training_holds_nothing_that_it_has_freed_when_it_has_evaluated(tmp_path):
    environment = os.environ | cores.ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", TRAINING, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    peak, held = map(int, done.stdout.split())
    # What is left are weights, their copies in the optimiser and in early stopping, and libraries.
    assert held < 0.7 * peak
