"""How many cores a training is given: trainings at a time share those of the call."""

import shutil

import pytest
from conftest import PROJECT, ROOT
from plan import plan


@pytest.fixture
def fresh(tmp_path):
    """A project whose data are synthetic and of which nothing is made yet."""
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, tmp_path / name)
    shutil.copy2(ROOT / "benchmarks/kill.yaml", tmp_path / "config.yaml")
    return tmp_path


@pytest.mark.parametrize(
    ("cores", "gpus", "threads"), [(8, 4, 2), (8, 1, 8), (8, 3, 2), (2, 4, 1), (1, 1, 1)]
)
def test_trainings_at_a_time_share_the_cores(fresh, cores, gpus, threads):
    planned = plan(fresh, "--cores", f"{cores}", "--resources", f"gpu={gpus}")
    trainings = [job for job in planned.jobs if job.rule in ("train", "rung", "features")]
    assert {int(job.fields.get("threads", 1)) for job in trainings} == {threads}
    assert all("gpu=1" in job.fields["resources"] for job in trainings)
