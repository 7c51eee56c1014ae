"""Trial of formats: the one in which a model trains fastest on this machine, measured once and kept."""

import hashlib
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from histopatch.backbones.catalogue import slug
from histopatch.engine.device import device_name, is_out_of_memory, synchronize
from histopatch.engine.formats import Format, candidates
from histopatch.files import write_json
from histopatch.locks import alone
from histopatch.settings import Settings

ROUNDS = 3  # steps per candidate; in turn, and the best counts, because the machine may be busy
CLEARLY = 1.1  # times faster; of formats that are closer than that the first is taken, not what noise says
HOPELESS = 1.5  # times slower than the fastest so far: not tried again


def choose_format(
    model: nn.Module, settings: Settings, device: torch.device, micro_batch: int, formats: Path
) -> Format:
    """The fastest format for training `model` on the device, among those that `precision` allows.

    micro_batch: patches that go through the model at a time. Measured once for each model, size, batch,
    device and version of torch, and kept as one file of the folder `formats`, so that the same run on the
    same machine computes with the same bits. Of jobs that start at the same time one measures and the others
    wait, or each would compute in what was fastest for itself.
    """
    tried = candidates(settings.precision, device)
    key = {
        "device": device_name(device),
        "torch": torch.__version__,
        "backbone": settings.backbone,
        "image_size": settings.image_size,
        "batch_size": settings.batch_size,
        "freeze_backbone": settings.freeze_backbone,
        "candidates": [*map(str, tried)],
    }
    path = formats / _file_name(key)
    with alone(formats):
        if path.is_file():
            known = json.loads(path.read_text())
        else:
            logging.info("trying %s, %d patches at a time", ", ".join(map(str, tried)), micro_batch)
            speeds = _measure(model, tried, micro_batch, settings.image_size, device)
            chosen = next(c for c in tried if CLEARLY * speeds[c] > max(speeds.values()))
            known = {
                "measured_for": key,
                "layout": chosen.layout,
                "precision": chosen.precision,
                "images_per_second": {str(compute): round(speed, 1) for compute, speed in speeds.items()},
            }
            write_json(known, path)
    choice = Format(known["layout"], known["precision"])
    speed = known["images_per_second"][str(choice)]
    logging.info("computing in %s, %.0f img/s in a bare step", choice, speed)
    return Format(choice.layout, choice.precision, speed)


def _file_name(key: dict) -> str:
    """Readable, and another one for every key."""
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:10]
    return f"{slug(key['backbone'])}-{key['image_size']}px-batch-{key['batch_size']}-{digest}.json"


def _measure(
    model: nn.Module, tried: list[Format], images: int, size: int, device: torch.device
) -> dict[Format, float]:
    """Images per second of each format; whatever is far behind after a step is not tried again."""
    trial_speed(model, model, tried[0], images, size, device)  # not counted: the first step gets its memory
    speeds, contenders = dict.fromkeys(tried, 0.0), tried
    for _ in range(ROUNDS):
        for candidate in contenders:
            speed = trial_speed(model, model, candidate, images, size, device)
            speeds[candidate] = max(speeds[candidate], speed)
        contenders = [c for c in contenders if HOPELESS * speeds[c] > max(speeds.values())]
        if len(contenders) == 1:
            break
    return speeds


def trial_speed(
    forward: Callable[[Tensor], Tensor],
    model: nn.Module,
    compute: Format,
    images: int,
    size: int,
    device: torch.device,
) -> float:
    """Images per second of one forward and backward pass.

    The model's state is left as it was, even where the pass fails. forward: the model itself or its compiled
    graph. On a GPU a pass that is not timed comes first: it chooses the algorithms, or compiles the graph.
    """
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.train().to(memory_format=compute.memory_format)
    try:
        while True:
            try:
                data = torch.randn(images, 3, size, size, device=device)
                data = data.contiguous(memory_format=compute.memory_format)
                if device.type == "cuda":
                    _step_seconds(forward, compute, data)
                return images / _step_seconds(forward, compute, data)
            except RuntimeError as error:  # training will accumulate gradients over parts of the batch
                if not is_out_of_memory(error) or images == 1:
                    raise
            data, images = None, images // 2
            model.zero_grad(set_to_none=True)
            torch.cuda.empty_cache()
    finally:
        model.zero_grad(set_to_none=True)
        model.load_state_dict(state)


def _step_seconds(forward: Callable[[Tensor], Tensor], compute: Format, data: Tensor) -> float:
    synchronize(data.device)
    started = time.perf_counter()
    with compute.autocast(data.device):
        logits = forward(data)
    logits.float().sum().backward()
    synchronize(data.device)
    return time.perf_counter() - started
