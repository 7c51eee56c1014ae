"""The training loop: one page, top to bottom."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from histopatch import components
from histopatch.augmentation.draws import Draws, draw
from histopatch.console import progress
from histopatch.engine import resume
from histopatch.engine.averaging import averaged
from histopatch.engine.device import is_out_of_memory
from histopatch.engine.divergence import EpochLoss, diverged
from histopatch.engine.network import Network
from histopatch.engine.patches import Patches
from histopatch.engine.sizes import training_size
from histopatch.settings import Settings
from histopatch.statistics.area import auroc


@dataclass
class Subset:
    """The patches of one side of a split."""

    rows: Tensor  # N rows of the pack, int64, on the CPU
    labels: Tensor  # N, float32, on the device


@dataclass
class Progress:
    """How far a training is, with what it has measured."""

    history: list[dict] = field(default_factory=list)  # one row per epoch
    train_seconds: float = 0.0
    evaluate_seconds: float = 0.0
    micro_batch: int = 0  # patches that go through the network at a time


def fit(
    network: Network,
    settings: Settings,
    patches: Patches,
    train: Subset,
    validation: Subset,
    micro_batch: int,
    saved: dict | None = None,
    save: Callable[[dict], None] = lambda state: None,
) -> tuple[Progress, Tensor]:
    """Train the network in place, evaluating after each epoch; return the progress and the last logits.

    The logits are those of the validation patches, N float32. micro_batch: patches that go through the
    network at a time. saved: a state that `save` was called with, to go on from; `save` is called after each
    epoch but the last. Nothing waits for the device inside an epoch: the loss stays there until its end.
    Raises InputError when the loss or the logits are not finite.
    """
    device, model, batch_size = patches.device, network.model, settings.batch_size
    loss_function = components.load(components.loss(settings)).make(train.labels, settings)
    targets = torch.lerp(train.labels, torch.full_like(train.labels, 0.5), settings.label_smoothing)
    optimizer = torch.optim.AdamW(
        [parameter for parameter in model.parameters() if parameter.requires_grad],
        lr=settings.lr,
        weight_decay=settings.weight_decay,
        fused=True,
    )
    # Batch normalisation has nothing to normalise a lone last patch with; each epoch leaves out another.
    count = len(train.rows) - (len(train.rows) % batch_size == 1)
    steps = settings.epochs * -(-count // batch_size)
    schedule = components.load(components.schedule(settings)).make(optimizer, steps, settings.warmup)
    scaler = torch.amp.GradScaler(device.type, enabled=network.compute.precision == "fp16")
    generator = torch.Generator().manual_seed(settings.seed)
    stateful = {"model": model, "optimizer": optimizer, "schedule": schedule, "scaler": scaler}
    evaluated = network
    if settings.ema:
        stateful["average"] = average = averaged(model, settings.ema)
        evaluated = replace(network, model=average.module, compiled=None)
    done = Progress(micro_batch=micro_batch)
    if saved:
        done = _restore(saved, stateful, generator)
        done.micro_batch = min(done.micro_batch, micro_batch)

    for epoch in range(len(done.history) + 1, settings.epochs + 1):
        started, lr = time.perf_counter(), optimizer.param_groups[0]["lr"]
        model.train()
        size = training_size(settings, epoch)
        order = torch.randperm(len(train.rows), generator=generator)[:count]
        draws = draw(len(order), settings.augmentation, generator).to(device)
        labels = targets[order.to(device)]
        losses, seen = EpochLoss(device), 0
        with progress(total=len(order), unit="img", desc=f"epoch {epoch}") as bar:
            for pixels in patches.batches(train.rows[order], batch_size):
                batch = slice(seen, seen + len(pixels))
                loss, done.micro_batch = _accumulate_gradients(
                    network,
                    loss_function,
                    scaler,
                    pixels,
                    draws[batch],
                    labels[batch],
                    size,
                    done.micro_batch,
                )
                scaler.step(optimizer)
                scaler.update()
                optimizer.zero_grad(set_to_none=True)
                schedule.step()
                if settings.ema:
                    average.update_parameters(model)
                losses.add(loss, len(pixels))
                seen = batch.stop
                bar.update(len(pixels))
        if step := losses.first_not_finite():  # waits for the device, once an epoch
            what = f"epoch {epoch} at step {step} of {losses.steps}: the loss is not finite"
            raise diverged(what, settings.lr, network.compute.precision)
        trained = time.perf_counter()

        logits = evaluated.predict(patches, validation.rows, done.micro_batch)
        if broken := int((~logits.isfinite()).sum()):
            what = f"epoch {epoch}: {broken} of {len(logits)} validation logits are not finite"
            raise diverged(what, settings.lr, network.compute.precision)
        row = {
            "epoch": epoch,
            "train_loss": losses.mean(),
            "val_loss": loss_function(logits, validation.labels).item(),
            "val_auc": auroc(validation.labels.cpu().numpy(), logits.cpu().numpy()),
            "lr": lr,
            "seconds": time.perf_counter() - started,
            "images_per_second": seen / (trained - started),
        }
        done.history.append(row)
        done.train_seconds += trained - started
        done.evaluate_seconds += time.perf_counter() - trained
        logging.info(
            "epoch %d of %d: train loss %.4f, validation loss %.4f, AUROC %.4f, %.0f img/s",
            epoch, settings.epochs, row["train_loss"], row["val_loss"], row["val_auc"],
            row["images_per_second"],
        )  # fmt: skip
        if epoch < settings.epochs:
            save(_state(done, stateful, generator))
    if settings.ema:
        model.load_state_dict(average.module.state_dict())
    return done, logits


def _accumulate_gradients(
    network: Network,
    loss_function: nn.Module,
    scaler: torch.amp.GradScaler,
    pixels: Tensor,
    draws: Draws,
    labels: Tensor,
    size: int,
    micro_batch: int,
) -> tuple[Tensor, int]:
    """Gradients of the mean loss over one batch, in pieces of `micro_batch` where memory asks for it.

    Returns the loss and the micro-batch that it worked with: out of memory halves it.
    """
    while True:
        try:
            total = torch.zeros((), device=labels.device)
            for start in range(0, len(labels), micro_batch):
                part = slice(start, start + micro_batch)
                loss = loss_function(network.logits(pixels[part], draws[part], size), labels[part])
                loss = loss * (len(labels[part]) / len(labels))
                scaler.scale(loss).backward()
                total += loss.detach()
            return total, micro_batch
        except RuntimeError as error:
            if not is_out_of_memory(error) or micro_batch == 1:
                raise
        # Outside of `except`, whose traceback keeps the tensors that have to go.
        network.model.zero_grad(set_to_none=True)
        torch.cuda.empty_cache()
        micro_batch = -(-min(micro_batch, len(labels)) // 2)
        logging.warning("out of memory: accumulating gradients over %d patches", micro_batch)


def _state(done: Progress, stateful: dict, generator: torch.Generator) -> dict:
    """All that the rest of the training depends on, as values for `torch.save`."""
    states = {name: part.state_dict() for name, part in stateful.items()}
    return {**states, "random": resume.random_states(generator), "progress": vars(done)}


def _restore(saved: dict, stateful: dict, generator: torch.Generator) -> Progress:
    for name, part in stateful.items():
        part.load_state_dict(saved[name])
    resume.set_random_states(saved["random"], generator)
    done = Progress(**saved["progress"])
    logging.info("going on after epoch %d", len(done.history))
    return done
