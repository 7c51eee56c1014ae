"""The training loop: one page, top to bottom."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from histopatch import components
from histopatch.augmentation.draws import draw
from histopatch.console import progress
from histopatch.engine import resume
from histopatch.engine.averaging import Averaging
from histopatch.engine.divergence import EpochLoss, diverged
from histopatch.engine.early_stopping import EarlyStopping
from histopatch.engine.gradients import Batch, accumulate_gradients
from histopatch.engine.memory import giving_back_memory
from histopatch.engine.network import Network
from histopatch.engine.optimizer import make_optimizer, thaw
from histopatch.engine.order import epoch_order
from histopatch.engine.patches import Patches
from histopatch.engine.processes import ALONE, Processes
from histopatch.engine.sizes import training_size
from histopatch.settings import Settings
from histopatch.statistics.area import auroc


@dataclass
class Subset:
    """The patches of one side of a split."""

    rows: Tensor  # N rows of the pack, int64, on the CPU
    labels: Tensor  # N, float32, on the device
    groups: list[Tensor] = field(default_factory=list)  # for balance: numbers of N groups, level by level


@dataclass
class Progress:
    """How far a training is, with what it has measured."""

    history: list[dict] = field(default_factory=list)  # one row per epoch
    train_seconds: float = 0.0
    evaluate_seconds: float = 0.0
    micro_batch: int = 0  # patches that go through the network at a time
    kept_epoch: int = 0  # whose weights are kept; 0 before that is known


def fit(
    network: Network,
    settings: Settings,
    patches: Patches,
    train: Subset,
    validation: Subset,
    micro_batch: int,
    saved: dict | None = None,
    save: Callable[[dict], None] = lambda state: None,
    processes: Processes = ALONE,
) -> tuple[Progress, Tensor]:
    """Train the network in place, evaluating after each epoch; return the progress and the kept logits.

    The logits are those of the validation patches, N float32. micro_batch: patches that go through the
    network at a time. saved: a state that `save` was called with, to go on from; `save` is called after each
    epoch but the last. processes: those that call this together; each returns the same. Nothing waits for the
    device inside an epoch: the loss stays there until its end. Raises InputError when the loss or the logits
    are not finite.
    """
    device, model, batch_size = patches.device, network.model, settings.batch_size
    loss_function = components.load(components.loss(settings)).make(train.labels, settings)
    targets = torch.lerp(train.labels, torch.full_like(train.labels, 0.5), settings.label_smoothing)
    # Batch normalisation has nothing to normalise a lone last patch with; each epoch leaves out another.
    count = len(train.rows) - (len(train.rows) % batch_size == 1)
    steps = settings.epochs * -(-count // batch_size)
    optimizer = make_optimizer(model, settings)
    schedule = components.load(components.schedule(settings)).make(optimizer, steps, settings.warmup)
    scaler = torch.amp.GradScaler(device.type, enabled=network.compute.precision == "fp16")
    generator = torch.Generator().manual_seed(settings.seed)
    # After an epoch each patch is seen as it is, which costs an eighth of what its symmetries would.
    averaging = Averaging(replace(network, symmetries=False), settings)
    stopping = EarlyStopping(settings.patience)
    stateful = {
        "model": model, "optimizer": optimizer, "schedule": schedule, "scaler": scaler,
        "averaging": averaging, "stopping": stopping,
    }  # fmt: skip
    done = Progress(micro_batch=micro_batch)
    if saved:
        done = _restore(saved, stateful, generator, device, processes)
        done.micro_batch = min(done.micro_batch, micro_batch)

    for epoch in range(len(done.history) + 1, settings.epochs + 1):
        if stopping.over:
            logging.info("stopping after epoch %d: %d without a better one", epoch - 1, settings.patience)
            break
        started, lr = time.perf_counter(), optimizer.param_groups[0]["lr"]
        model.train()
        thaw(model, settings, epoch)
        order = epoch_order(len(train.rows), count, train.groups, generator)
        draws = draw(count, settings.augmentation, generator).to(device)
        drawn_targets, size = targets[order.to(device)], training_size(settings, epoch)
        shares, losses = processes.shares(count, batch_size), EpochLoss(device)
        rows = train.rows[torch.cat([order[share.places] for share in shares])]
        with progress(total=count, unit="img", desc=f"epoch {epoch} of {settings.epochs}") as bar:
            batches = patches.batches(rows, [share.size for share in shares])
            for share, pixels in zip(shares, batches, strict=True):
                part = share.places
                pixels, mixed_targets = draws[part].mix(pixels, drawn_targets[part])
                batch = Batch(pixels, draws[part], mixed_targets, size, share.batch)
                loss, done.micro_batch = accumulate_gradients(
                    network, loss_function, scaler, batch, settings.hard_share, done.micro_batch
                )
                loss = processes.add_gradients(model, loss)
                scaler.step(optimizer)
                scaler.update()
                optimizer.zero_grad(set_to_none=True)
                schedule.step()
                averaging.after_step()
                losses.add(loss, share.batch)
                bar.update(share.batch)
        if step := losses.first_not_finite():  # waits for the device, once an epoch
            what = f"epoch {epoch} at step {step} of {losses.steps}: the loss is not finite"
            raise diverged(what, settings.lr, network.compute.precision)
        done.micro_batch = min(processes.gather(done.micro_batch))
        evaluated = averaging.after_epoch(epoch, patches, processes.part(train.rows), done.micro_batch)
        processes.average_statistics(model, evaluated.model)
        trained = time.perf_counter()

        with giving_back_memory():
            logits = processes.predict(evaluated, patches, validation.rows, done.micro_batch)
        if broken := int((~logits.isfinite()).sum()):
            what = f"epoch {epoch}: {broken} of {len(logits)} validation logits are not finite"
            raise diverged(what, settings.lr, network.compute.precision)
        row = {
            "epoch": epoch,
            "train_loss": losses.mean(),
            "val_loss": loss_function(logits, validation.labels).mean().item(),
            "val_auc": auroc(validation.labels.cpu().numpy(), logits.cpu().numpy()),
            "lr": lr,
            "seconds": time.perf_counter() - started,
            "images_per_second": count / (trained - started),
        }
        done.history.append(row)
        done.train_seconds += trained - started
        done.evaluate_seconds += time.perf_counter() - trained
        logging.info(
            "epoch %d of %d: train loss %.4f, validation loss %.4f, AUROC %.4f, %.0f img/s",
            epoch, settings.epochs, row["train_loss"], row["val_loss"], row["val_auc"],
            row["images_per_second"],
        )  # fmt: skip
        stopping.see(row["val_auc"], evaluated.model, logits)
        if epoch < settings.epochs:
            save(_state(done, stateful, generator, device, processes))
    model.load_state_dict(stopping.best["weights"])
    done.kept_epoch, logits = stopping.best["epoch"], stopping.best["logits"]
    if network.symmetries:
        started = time.perf_counter()
        with giving_back_memory():
            logits = processes.predict(network, patches, validation.rows, done.micro_batch)
        done.evaluate_seconds += time.perf_counter() - started
    return done, logits


def _state(
    done: Progress, stateful: dict, generator: torch.Generator, device: torch.device, processes: Processes
) -> dict:
    """All that the rest of the training depends on, as values for `torch.save`."""
    states = {name: part.state_dict() for name, part in stateful.items()}
    random = processes.gather(resume.random_states(generator, device))
    return {**states, "random": random, "progress": vars(done)}


def _restore(
    saved: dict, stateful: dict, generator: torch.Generator, device: torch.device, processes: Processes
) -> Progress:
    for name, part in stateful.items():
        if saved[name]:  # that of a scaler is empty where the precision needed none, as on another GPU
            part.load_state_dict(saved[name])
    resume.set_random_states(saved["random"][processes.rank], generator, device)
    done = Progress(**saved["progress"])
    logging.info("going on after epoch %d", len(done.history))
    return done
