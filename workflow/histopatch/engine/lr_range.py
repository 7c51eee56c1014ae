"""Learning-rate range test: the loss while the rate rises, step by step, until training breaks down.

Smith, WACV 2017.
"""

import logging
import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from histopatch import components
from histopatch.augmentation.draws import draw
from histopatch.console import progress
from histopatch.cores import core_count
from histopatch.data.folds import parts, read_split
from histopatch.engine.device import hold_device, make_deterministic
from histopatch.engine.gradients import Batch, accumulate_gradients
from histopatch.engine.loop import Subset
from histopatch.engine.network import Network
from histopatch.engine.optimizer import make_optimizer
from histopatch.engine.order import epoch_order
from histopatch.engine.patches import Patches
from histopatch.engine.phases import Phases
from histopatch.engine.train import fit_normaliser, make_network, make_subset
from histopatch.errors import InputError
from histopatch.files import write_table
from histopatch.settings import Settings

LOWEST, HIGHEST = 1e-6, 1.0
STEPS = 100
MEMORY = 0.9  # of the smoothed loss, per step
BROKEN = 3.0  # times the lowest smoothed loss, at which the test ends


def write_range_test(
    settings: Settings,
    pack: str,
    index: str,
    split: str,
    table: str,
    formats: str,
    runtime: dict,
    threads: int,
) -> None:
    """Test the learning rates of a run on the training part of its first fold; write `range_test`'s rows.

    The arguments are those of `train.train_run`. Raises InputError for a head on the features of an encoder.
    """
    if settings.feature_head != "none":
        raise InputError("a range test trains a network step by step; ask for a run without feature_head")
    torch.set_num_threads(core_count(runtime["workers"], threads))
    make_deterministic(settings.deterministic)
    with hold_device(runtime["device"]) as device:
        patches = Patches(pack, device)
        train, _ = parts(read_split(split, index), fold=0)
        network, micro_batch, _ = make_network(settings, device, Path(formats), Phases())
        torch.manual_seed(settings.seed)
        logging.info("trying learning rates from %g to %g", LOWEST, HIGHEST)
        subset = make_subset(train, settings.balance, device)
        if settings.stain_normalisation != "none":
            network.normaliser = fit_normaliser(settings, patches, subset.rows)
        rows = range_test(network, settings, patches, subset, micro_batch)
    write_table(pd.DataFrame(rows), table)


def range_test(
    network: Network, settings: Settings, patches: Patches, train: Subset, micro_batch: int
) -> list[dict]:
    """Train with a rate that rises from LOWEST to HIGHEST, by the same factor in each of STEPS steps.

    Returns `step,lr,loss,smoothed_loss` of each step; fewer where the loss breaks down before. The smoothed
    loss is an exponential average without the bias of its start. Augmentation, loss and what learns are those
    of the settings; epochs, schedule and averages play no part.
    """
    settings = replace(settings, lr=LOWEST)
    loss_function = components.load(components.loss(settings)).make(train.labels, settings)
    optimizer = make_optimizer(network.model, settings)
    factor = (HIGHEST / LOWEST) ** (1 / (STEPS - 1))
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, factor)
    scaler = torch.amp.GradScaler(patches.device.type, enabled=network.compute.precision == "fp16")
    generator = torch.Generator().manual_seed(settings.seed)
    count = STEPS * settings.batch_size
    rounds = -(-count // len(train.rows))
    orders = [epoch_order(len(train.rows), len(train.rows), train.groups, generator) for _ in range(rounds)]
    order = torch.cat(orders)[:count]
    draws = draw(count, settings.augmentation, generator).to(patches.device)
    smoothed_labels = torch.lerp(train.labels, torch.full_like(train.labels, 0.5), settings.label_smoothing)
    targets = smoothed_labels[order.to(patches.device)]
    rows: list[dict] = []
    average = 0.0
    network.model.train()
    for pixels in progress(patches.batches(train.rows[order], settings.batch_size), total=STEPS, unit="step"):
        step = len(rows)
        part = slice(step * settings.batch_size, step * settings.batch_size + len(pixels))
        pixels, mixed_targets = draws[part].mix(pixels, targets[part])
        batch = Batch(pixels, draws[part], mixed_targets, settings.image_size, len(pixels))
        loss, micro_batch = accumulate_gradients(
            network, loss_function, scaler, batch, settings.hard_share, micro_batch
        )
        average = MEMORY * average + (1 - MEMORY) * loss.item()
        smoothed = average / (1 - MEMORY ** (step + 1))
        if not math.isfinite(smoothed):
            break
        rate = optimizer.param_groups[0]["lr"]
        rows.append({"step": step + 1, "lr": rate, "loss": loss.item(), "smoothed_loss": smoothed})
        if smoothed > BROKEN * min(row["smoothed_loss"] for row in rows):
            break
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
    return rows
