import platform
import tempfile

import pytest
import torch

from histopatch.engine import device as devices
from histopatch.engine.device import device_name, hold_device, is_out_of_memory
from histopatch.errors import InputError

CPU = torch.device("cpu")


@pytest.fixture
def gpus(monkeypatch, tmp_path):
    """Pretend that there are GPUs with these UUIDs, and note the one that is made current."""
    current = []

    class Current:
        def __init__(self, index):
            current.append(index)

        def __enter__(self):
            pass

        def __exit__(self, *error):
            current.pop()

    def have(*uuids):
        properties = [type("Properties", (), {"uuid": uuid}) for uuid in uuids]
        monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(uuids))
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(uuids))
        monkeypatch.setattr(torch.cuda, "get_device_properties", properties.__getitem__)
        monkeypatch.setattr(torch.cuda, "device", Current)
        return current

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return have


def test_a_cpu_is_taken_where_there_is_no_gpu(gpus):
    gpus()
    for name in ("auto", "cpu"):
        with hold_device(name) as device:
            assert device == CPU
    with (
        pytest.raises(InputError, match=r"^runtime\.device: .* finds no GPU; use `auto`"),
        hold_device("cuda"),
    ):
        pytest.fail("there is no GPU")


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_a_gpu_is_taken_where_there_is_one(gpus, name):
    current = gpus("a")
    with hold_device(name) as device:
        assert device == torch.device("cuda", 0)
        assert current == [0]
    assert current == []


def test_a_cpu_is_taken_where_it_is_asked_for(gpus):
    gpus("a")
    with hold_device("cpu") as device:
        assert device == CPU


def test_a_second_job_takes_another_gpu(gpus):
    """Whatever each of them calls it: the same card may be 0 here and 1 there."""
    gpus("a", "b")
    with hold_device("auto") as first:
        gpus("b", "a")
        with hold_device("auto") as second:
            assert (first.index, second.index) == (0, 0)
        gpus("a", "b")
        with hold_device("auto") as second:
            assert second.index == 1


def test_slices_of_a_gpu_are_devices_of_their_own(gpus, monkeypatch):
    gpus("a")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-1")
    with hold_device("auto"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-2")
        with hold_device("auto") as device:
            assert device.index == 0


def test_the_name_of_a_cpu_says_how_many_threads_compute():
    """Speeds and bits both depend on them."""
    assert device_name(CPU).endswith(", 1 threads")
    torch.set_num_threads(2)
    assert device_name(CPU).endswith(", 2 threads")


def test_the_name_of_a_cpu_is_its_model_where_the_system_reports_it(tmp_path, monkeypatch):
    monkeypatch.setattr(devices, "CPU_INFO", tmp_path / "cpuinfo")
    assert device_name(CPU) == f"{platform.machine()}, 1 threads"
    (tmp_path / "cpuinfo").write_text("vendor\t: any\nmodel name\t: Fast: 3 GHz\nmodel name\t: other\n")
    assert device_name(CPU) == "Fast: 3 GHz, 1 threads"


def test_running_out_of_memory_is_told_from_other_errors():
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60)
    assert is_out_of_memory(caught.value)
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
