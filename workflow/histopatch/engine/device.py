"""The device of a job: which one, what it is called, and when it is out of memory."""

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import torch

from histopatch.engine.gpu_lock import free_gpu
from histopatch.errors import InputError

CPU_INFO = Path("/proc/cpuinfo")  # Linux


@contextlib.contextmanager
def hold_device(name: str) -> Iterator[torch.device]:
    """The device for this job: with `auto` or `cuda` a GPU that no other job has, else the CPU.

    Waits while all GPUs are taken. `auto` is the CPU where there is no GPU; raises InputError where `cuda`
    is asked for and missing.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("runtime.device: `cuda` is asked for, but torch finds no GPU; use `auto`")
    if name == "cpu" or not torch.cuda.is_available():
        yield torch.device("cpu")
        return
    with free_gpu(_gpu_keys()) as index, torch.cuda.device(index):
        yield torch.device("cuda", index)


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
