"""The device of a job: which one, what it is called, and when it is out of memory."""

import contextlib
import logging
import os
import platform
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch

from histopatch.engine.gpu_lock import free_gpus
from histopatch.errors import InputError

CPU_INFO = Path("/proc/cpuinfo")  # Linux
NO_GPU = "torch finds no GPU"


@contextlib.contextmanager
def hold_device(name: str) -> Iterator[torch.device]:
    """The device for this job: one of `hold_devices`."""
    with hold_devices(name, 1) as (device,):
        yield device


@contextlib.contextmanager
def hold_devices(name: str, count: int) -> Iterator[list[torch.device]]:
    """The devices for this job: with `auto` or `cuda` GPUs that no other job has, else so many times the CPU.

    Waits while too many GPUs are taken; the first is the current one. A GPU that this torch cannot use is
    left for the CPU, with a warning. Raises InputError where there are GPUs, but not as many, where `cuda`
    is asked for and cannot be had, and where the GPU fails during the work.
    """
    if name == "cpu":
        yield [torch.device("cpu")] * count
        return
    with contextlib.ExitStack() as held:
        fault = _absent()
        if not fault:
            keys = _gpu_keys()
            if len(keys) < count:
                raise InputError(f"gpus: {count} are asked for, and there are {len(keys)} here; lower gpus")
            devices = [torch.device("cuda", place) for place in held.enter_context(free_gpus(keys, count))]
            fault = _unusable(devices[0])
        if not fault:
            held.enter_context(_failing_in_words(devices[0]))
            held.enter_context(torch.cuda.device(devices[0].index))
            yield devices
            return
    if name == "cuda":
        raise InputError(f"runtime.device: `cuda` is asked for, but {fault}; use `auto`")
    if fault != NO_GPU:
        logging.warning("computing on the CPU: %s", fault)
    yield [torch.device("cpu")] * count


def _absent() -> str | None:
    """Why torch offers no GPU, such as a driver that is too old for it; None where it offers one."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        if torch.cuda.is_available():
            return None
    return f"{NO_GPU}: {_first_line(told[0].message)}" if told else NO_GPU


def _unusable(device: torch.device) -> str | None:
    """Why the GPU cannot compute; None where it can.

    A small convolution is the proof: a GPU that is older or newer than this build of torch is found and
    named, but has no kernels, or none of cuDNN's.
    """
    try:
        images, weights = torch.ones(1, 3, 8, 8, device=device), torch.ones(4, 3, 3, 3, device=device)
        torch.nn.functional.conv2d(images, weights).sum().item()
    except torch.OutOfMemoryError:
        raise InputError(
            f"{device}: its memory is full; wait for the other processes there, or use runtime.device: cpu"
        ) from None
    except RuntimeError as error:
        return f"torch {torch.__version__} cannot use {device}: {_first_line(error)}"
    return None


@contextlib.contextmanager
def _failing_in_words(device: torch.device) -> Iterator[None]:
    """A GPU that falls off its bus, or whose driver is replaced, fails every call from then on."""
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith("CUDA error"):
            raise
        raise InputError(
            f"{device} failed during the work: {_first_line(error)}; see whether nvidia-smi still finds it, "
            "then run the same command again, which goes on from what is finished"
        ) from error


def _first_line(text: object) -> str:
    return str(text).strip().splitlines()[0]


def _gpu_keys() -> list[str]:
    """What tells each visible GPU apart from all others of the machine."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    if visible[0].startswith("MIG-"):  # a slice of a GPU, which shares the UUID with the other slices
        return [visible[0].replace("/", "-")]  # which is a file name, too
    return [str(torch.cuda.get_device_properties(i).uuid) for i in range(torch.cuda.device_count())]


def device_name(device: torch.device) -> str:
    """The device model, if the OS reports it, and on a CPU the threads: speed and bits depend on both."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    model = platform.machine()
    if CPU_INFO.is_file():
        for line in CPU_INFO.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(": ")[2]
                break
    return f"{model}, {torch.get_num_threads()} threads"


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all that it was given; a CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch ran out of the device's memory, for which it has an exception on a GPU only."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def make_deterministic(asked: bool) -> None:
    """Take only algorithms that repeat their bits, where that is asked for; else the fastest ones.

    On a CPU every algorithm in use repeats its bits; on a GPU only those that torch knows to.
    """
    if asked:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # torch asks for it, before cuBLAS starts
    torch.use_deterministic_algorithms(asked)
    torch.backends.cudnn.benchmark = not asked
