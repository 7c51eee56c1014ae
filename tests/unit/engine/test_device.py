import platform
import tempfile
import warnings

import pytest
import torch

from histopatch.engine import device as devices
from histopatch.engine.device import device_name, hold_device, hold_devices, is_out_of_memory
from histopatch.errors import InputError

CPU = torch.device("cpu")
UNUSABLE = devices._unusable


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
    monkeypatch.setattr(devices, "_unusable", lambda device: None)  # what computes here is a CPU
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


UNSUPPORTED = "CUDA error: no kernel image is available for execution on the device"
OLD_DRIVER = "CUDA initialization: The NVIDIA driver on your system is too old (found version 11040)."


@pytest.fixture
def fails(monkeypatch):
    """Let the first computation on a GPU, which is not there, fail with an error."""

    def with_error(error: Exception) -> None:
        def ones(*shape, device):
            assert device == torch.device("cuda", 0)
            raise error

        monkeypatch.setattr(devices, "_unusable", UNUSABLE)
        monkeypatch.setattr(torch, "ones", ones)

    return with_error


@pytest.mark.input(
    "Machine",
    "A GPU that the installed torch has no kernels for",
    "a warning, and the CPU; one line under `device: cuda`",
)
def test_a_gpu_that_cannot_compute_is_left_for_the_cpu(gpus, fails, caplog):
    current = gpus("a")
    fails(RuntimeError(f"{UNSUPPORTED}\nCompile with `TORCH_USE_CUDA_DSA`"))
    with hold_device("auto") as device:
        assert device == CPU
        assert current == []
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == (
        f"computing on the CPU: torch {torch.__version__} cannot use cuda:0: {UNSUPPORTED}"
    )
    with pytest.raises(InputError) as refused, hold_device("cuda"):
        pytest.fail("the GPU cannot compute")
    assert UNSUPPORTED in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.input(
    "Machine",
    "A GPU driver that is too old for the installed torch",
    "a warning, and the CPU; one line under `device: cuda`",
)
def test_a_driver_that_is_too_old_is_said(gpus, monkeypatch, caplog):
    def is_available():
        warnings.warn(f"{OLD_DRIVER} Please update.\n(Triggered internally)", stacklevel=1)
        return False

    gpus("a")
    monkeypatch.setattr(torch.cuda, "is_available", is_available)
    with hold_device("auto") as device:
        assert device == CPU
    (record,) = caplog.records
    assert record.getMessage().startswith(f"computing on the CPU: torch finds no GPU: {OLD_DRIVER}")
    with pytest.raises(InputError, match="driver on your system is too old"), hold_device("cuda"):
        pytest.fail("there is no driver")


LOST = "CUDA error: unspecified launch failure"


@pytest.mark.input("Machine", "A GPU that disappears during the work", "one line; the next call goes on")
def test_a_gpu_that_disappears_is_one_line(gpus):
    gpus("a")
    with pytest.raises(InputError) as lost, hold_device("auto"):
        raise RuntimeError(f"{LOST}\nCompile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.\n")
    assert str(lost.value).startswith(f"cuda:0 failed during the work: {LOST}; see whether nvidia-smi")
    assert "\n" not in str(lost.value)
    with hold_device("auto") as device:  # is free again
        assert device == torch.device("cuda", 0)


def test_any_other_error_of_the_work_is_what_it_was(gpus):
    gpus("a")
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"), hold_device("auto"):
        raise RuntimeError("shapes cannot be multiplied")


@pytest.mark.input("Machine", "A GPU whose memory others have filled", "one line that says so")
@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_a_gpu_without_free_memory_is_one_line(gpus, fails, name):
    """Not the CPU: a training would silently take a hundred times as long."""
    gpus("a")
    fails(torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(InputError, match=r"^cuda:0: its memory is full"), hold_device(name):
        pytest.fail("there is no memory")


@pytest.mark.input("Machine", "A machine without a GPU", "the CPU; one line under `device: cuda`")
def test_a_machine_without_a_gpu_is_no_reason_to_warn(gpus, caplog):
    gpus()
    with hold_device("auto") as device:
        assert device == CPU
    assert not caplog.records


def test_a_gpu_that_computes_is_taken(gpus, fails, monkeypatch):
    """The proof is a real computation, here on the CPU."""
    gpus("a")
    fails(AssertionError)
    monkeypatch.setattr(torch, "ones", lambda *shape, device: torch.zeros(shape) + 1)
    with hold_device("cuda") as device:
        assert device == torch.device("cuda", 0)


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


def test_a_job_has_as_many_gpus_as_it_asks_for_and_others_have_the_rest(gpus):
    current = gpus("a", "b", "c")
    with hold_devices("auto", 2) as devices:
        assert devices == [torch.device("cuda", 0), torch.device("cuda", 1)]
        assert current == [0]
        with hold_device("auto") as other:
            assert other.index == 2


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_without_a_gpu_a_job_has_the_cpu_as_often(gpus, name):
    gpus()
    with hold_devices(name, 3) as devices:
        assert devices == [CPU] * 3


@pytest.mark.input("Machine", "fewer GPUs than a run asks for (`gpus`)", "one line, where there is any")
@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_fewer_gpus_than_a_job_asks_for_are_one_line(gpus, name):
    gpus("a", "b")
    with (
        pytest.raises(InputError, match=r"^gpus: 3 are asked for, and there are 2 here; lower gpus$"),
        hold_devices(name, 3),
    ):
        pytest.fail("there are two")
