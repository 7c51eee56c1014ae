"""Formats of computing: memory layout and precision, and which of them a device computes natively."""

import logging
import os
import platform
from dataclasses import dataclass

import torch

from histopatch.engine import device as devices
from histopatch.errors import InputError

LAYOUTS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
# Values of ONEDNN_MAX_CPU_ISA that leave oneDNN without bf16 instructions.
ONEDNN_WITHOUT_BF16 = {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI"}


@dataclass(frozen=True)
class Format:
    """How a model computes: memory layout and precision, both by name."""

    layout: str
    precision: str
    images_per_second: float = 0.0  # of the bare training step, where it was measured

    def __str__(self) -> str:
        return f"{self.layout} {self.precision}"

    @property
    def memory_format(self) -> torch.memory_format:
        return LAYOUTS[self.layout]

    def autocast(self, device: torch.device) -> torch.autocast:
        """Mixed precision where this format has it."""
        enabled = self.precision != "fp32"
        return torch.autocast(device.type, DTYPES[self.precision], enabled=enabled)


def candidates(precision: str, device: torch.device) -> list[Format]:
    """Formats to try for the setting `precision`, the one to fall back on in a tie first.

    With `auto`, a CPU is tried with bf16 only where it has the instructions: emulated, it is ten times
    slower than fp32 (measured on Zen 3). Asked for by name it is taken, with a warning.
    """
    if precision == "fp16" and device.type != "cuda":
        raise InputError("precision: `fp16` needs a GPU; use `auto`, `bf16` or `fp32`")
    if precision != "auto":
        precisions = [precision]
        if precision == "bf16" and device.type == "cpu" and not cpu_has_bf16():
            logging.warning("this CPU has no bf16 instructions and emulates them slowly; fp32 is faster")
    elif device.type == "cuda":
        mixed = "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp16"
        precisions = [mixed, "fp32"]
    else:
        precisions = ["fp32", "bf16"] if cpu_has_bf16() else ["fp32"]
    return [Format(layout, p) for p in precisions for layout in LAYOUTS]


def cpu_has_bf16() -> bool:
    """Whether the CPU has bf16 instructions, the OS reports them, and torch and oneDNN may use them."""
    if not devices.CPU_INFO.is_file():
        return False
    flags = {
        flag
        for line in devices.CPU_INFO.read_text().splitlines()
        if line.startswith(("flags", "Features"))  # x86, ARM
        for flag in line.partition(":")[2].split()
    }
    if platform.machine() not in ("x86_64", "AMD64"):
        return "bf16" in flags
    # Both libraries can be told to do with less than the CPU has.
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA", "ALL").upper() not in ONEDNN_WITHOUT_BF16
    allowed = allowed and torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    return allowed and bool(flags & {"avx512_bf16", "amx_bf16"})
