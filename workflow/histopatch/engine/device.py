"""The device of a job, and the layout and precision in which it trains fastest there."""

import json
import logging
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from histopatch.errors import InputError
from histopatch.files import write_json

LAYOUTS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
TRIAL_IMAGES = 16  # a CPU's speed hardly depends on the batch; a GPU is tried with the whole of it
TRIAL_STEPS = 2
TRIAL_ROUNDS = 3
CLEARLY = 1.1  # times faster than the first candidate, or noise would decide


@dataclass(frozen=True)
class Format:
    """How a model computes: memory layout and precision, both by name."""

    layout: str
    precision: str
    images_per_second: float = 0.0  # of the bare training step, where it was measured

    @property
    def memory_format(self) -> torch.memory_format:
        return LAYOUTS[self.layout]

    def autocast(self, device: torch.device) -> torch.autocast:
        """Mixed precision where this format has it."""
        enabled = self.precision != "fp32"
        return torch.autocast(device.type, DTYPES[self.precision], enabled=enabled)


def choose_device(name: str) -> torch.device:
    """`auto` is a GPU where there is one. Raises InputError where `cuda` is asked for and missing."""
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("runtime.device: `cuda` is asked for, but torch finds no GPU; use `auto`")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def device_name(device: torch.device) -> str:
    """What the device is called by its maker, as far as the system tells."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    lines = Path("/proc/cpuinfo")
    if lines.is_file():
        for line in lines.read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.split(': ')[1]}, {torch.get_num_threads()} threads"
    return f"{platform.machine()}, {torch.get_num_threads()} threads"


def choose_format(model: nn.Module, settings: dict, device: torch.device, remembered: Path) -> Format:
    """The fastest format for training `model` on the device, among those that `precision` allows.

    Measured once for each model, size, batch, device and version of torch and then read from the file
    `remembered`, so that the same run on the same machine computes with the same bits.
    """
    candidates = _candidates(settings["precision"], device)
    batch = settings["batch_size"]
    key = (
        f"{device_name(device)} | torch {torch.__version__} | {settings['backbone']} "
        f"{settings['image_size']} px, batch {batch}, frozen {settings['freeze_backbone']}, "
        f"precision {settings['precision']}"
    )
    known = json.loads(remembered.read_text()) if remembered.is_file() else {}
    if key not in known:
        images = batch if device.type == "cuda" else min(batch, TRIAL_IMAGES)
        size = settings["image_size"]
        # In turn, and the best of several, because the machine may be busy with something else.
        rounds = [
            [trial_speed(model, model, c, images, size, device) for c in candidates]
            for _ in range(TRIAL_ROUNDS)
        ]
        speeds = [max(tried) for tried in zip(*rounds, strict=True)]
        fastest = max(range(len(candidates)), key=speeds.__getitem__)
        chosen = candidates[fastest if speeds[fastest] > CLEARLY * speeds[0] else 0]
        known[key] = {"layout": chosen.layout, "precision": chosen.precision}
        known[key]["images_per_second"] = {
            f"{c.layout} {c.precision}": round(speed, 1) for c, speed in zip(candidates, speeds, strict=True)
        }
        write_json(known, remembered)
    choice = known[key]
    logging.info("computing in %s %s", choice["layout"], choice["precision"])
    for name, speed in choice["images_per_second"].items():
        logging.info("  bare step in %s: %.0f img/s", name, speed)
    speed = choice["images_per_second"][f"{choice['layout']} {choice['precision']}"]
    return Format(choice["layout"], choice["precision"], speed)


def _candidates(precision: str, device: torch.device) -> list[Format]:
    """Formats to try, the one to fall back on in a tie first."""
    if precision == "fp16" and device.type != "cuda":
        raise InputError("precision: `fp16` needs a GPU; use `auto`, `bf16` or `fp32`")
    if precision == "auto":
        if device.type == "cuda":
            mixed = "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp16"
            precisions = [mixed, "fp32"]
        else:
            precisions = ["fp32", "bf16"]
    else:
        precisions = [precision]
    return [Format(layout, p) for p in precisions for layout in LAYOUTS]


def trial_speed(
    forward: Callable[[Tensor], Tensor],
    model: nn.Module,
    compute: Format,
    images: int,
    size: int,
    device: torch.device,
) -> float:
    """Images per second of forward and backward on random data; the model's state is left as it was.

    forward: the model itself or its compiled graph.
    """
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.train().to(memory_format=compute.memory_format)
    while True:
        try:
            data = torch.randn(images, 3, size, size, device=device)
            data = data.contiguous(memory_format=compute.memory_format)
            seconds = min(_step_seconds(forward, compute, data) for _ in range(TRIAL_STEPS))
            break
        except RuntimeError as error:  # training will accumulate gradients over parts of the batch
            if not is_out_of_memory(error) or images == 1:
                raise
        data, images = None, images // 2
        model.zero_grad(set_to_none=True)
        torch.cuda.empty_cache()
    model.zero_grad(set_to_none=True)
    model.load_state_dict(state)
    return images / seconds


def _step_seconds(forward: Callable[[Tensor], Tensor], compute: Format, data: Tensor) -> float:
    _wait(data.device)
    start = time.perf_counter()
    with compute.autocast(data.device):
        logits = forward(data)
    logits.float().sum().backward()
    _wait(data.device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch ran out of the device's memory, which on a CPU it says in words only."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
