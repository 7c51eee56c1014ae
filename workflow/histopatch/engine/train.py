"""One run from its files to its files: split and pack in, model, history, predictions and report out."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import torch

from histopatch import components
from histopatch.backbones.build import build
from histopatch.cores import core_count
from histopatch.data.folds import parts, patches_of, read_split
from histopatch.data.units import units_of
from histopatch.engine import resume
from histopatch.engine.compiling import compile_network, worth_compiling
from histopatch.engine.device import device_name, hold_devices, is_out_of_memory, make_deterministic
from histopatch.engine.guard import exclusive
from histopatch.engine.loop import Progress, Subset, fit
from histopatch.engine.micro_batch import choose_micro_batch
from histopatch.engine.model_files import library_versions, save_model
from histopatch.engine.network import Network
from histopatch.engine.patches import Patches
from histopatch.engine.phases import Phases
from histopatch.engine.processes import ALONE, Processes
from histopatch.engine.rungs import Paused, known_history, write_failed_rung, write_rung
from histopatch.engine.trial import choose_format
from histopatch.engine.workers import serve, together
from histopatch.errors import InputError, RunError
from histopatch.files import beside, write_blocks, write_json, write_table
from histopatch.settings import Settings
from histopatch.stain import normaliser
from histopatch.system import peak_memory_bytes

STATE = "resume.pt"
HISTORY = ["epoch", "train_loss", "val_loss", "val_auc", "lr", "seconds", "images_per_second"]


def train_run(
    settings: Settings,
    identity: dict,
    fold: int,
    pack: str,
    index: str,
    split: str,
    folder: str,
    code: str,
    formats: str,
    runtime: dict,
    threads: int,
    pause_after: int = 0,
) -> None:
    """Train one run on one fold and write its four files into `folder`.

    A training that cannot succeed (it diverges, lacks memory, or its weights do not fit) raises RunError, or
    leaves files that say so where the runtime's `on_failure` is `compare_others`. What is wrong with the
    machine, or was changed meanwhile, raises InputError in either case.

    model.safetensors (the weights that are kept: those of the last epoch, of the best one with `patience`, or
    their average with `ema` and `swa`), history.csv (one row per epoch), predictions.csv
    (`id,label,probability` of the validation patches by these weights) and run.json. identity: the settings
    as the report states them, those at neutral left out; pack, index and split: the files of those steps,
    where a head is trained the features of a bank in place of the pack; code: digest of the training code,
    for the resume state; formats: the folder of measured formats; runtime: that section of the configuration;
    threads: the cores that the job is given.

    pause_after: unless 0, stop after so many epochs, at the end of a rung, and write what was measured so far
    instead (`rung_file`). The resume state stays, from which the next call goes on.
    """
    out, state_file = Path(folder), Path(folder, STATE)
    device_asked = runtime["device"] if settings.feature_head == "none" else "cpu"
    with exclusive(out), hold_devices(device_asked, settings.gpus) as devices:
        phases, device = Phases(), devices[0]
        job = Job(
            settings, fold, pack, index, split, folder, formats, core_count(runtime["workers"], threads)
        )
        with phases.phase("data"):
            work = _prepare(job, device)
            state_key = resume.fingerprint(identity, code, split, [pack, settings.weights])
            saved = resume.load(state_file, state_key)
        if pause_after and (history := known_history(out, pause_after, saved, state_key)):
            write_rung(out, pause_after, history)
            return
        logging.info("%d patches train, %d validate", len(work.train.rows), len(work.validation.rows))

        def save(state: dict) -> None:
            resume.save(state_file, state, state_key)
            if len(state["progress"]["history"]) == pause_after:
                raise Paused(state["progress"]["history"])

        try:
            with together(devices, __name__, {"job": job, "state_key": state_key}) as processes:
                network, memory, done, logits = _train(job, work, device, processes, phases, saved, save)
            if pause_after:  # patience has ended the training before
                raise Paused(done.history)
        except Paused as paused:
            write_rung(out, pause_after, paused.history)
            return
        except RunError as error:
            if runtime["on_failure"] == "stop":
                raise
            logging.warning("%s. The others go on without this run; to try it again, delete %s", error, out)
            if pause_after:
                write_failed_rung(out, pause_after, str(error))
            else:
                state = resume.load(state_file, state_key) or {"progress": {"history": []}}
                write_failure(str(error), identity, fold, state["progress"]["history"], out)
            state_file.unlink(missing_ok=True)
            return

        if resume.fingerprint(identity, code, split, [pack, settings.weights]) != state_key:
            raise InputError(
                f"{out}: {split}, the pack or the weights to start from were changed during the training; "
                "run the same command again"
            )
        probabilities = logits.double().sigmoid().cpu().numpy()
        save_model(network.weights(), out / "model.safetensors")
        write_table(pd.DataFrame(done.history, columns=HISTORY), out / "history.csv")
        validated = beside(patches_of(split, fold), pd.DataFrame({"probability": probabilities}))
        write_blocks(validated, out / "predictions.csv")
        seconds = phases.seconds | {"train": done.train_seconds, "evaluate": done.evaluate_seconds}
        report = _report(identity, fold, device, network, done, seconds, memory)
        write_json(report | {"made_from": state_key}, out / "run.json")
        state_file.unlink(missing_ok=True)


@dataclass(frozen=True)
class Job:
    """What each process of a training is told: arguments of `train_run`, and the cores of all of them."""

    settings: Settings
    fold: int
    pack: str
    index: str
    split: str
    folder: str
    formats: str
    cores: int


@dataclass
class Work:
    """What a training works on, read from its files."""

    heads: ModuleType | None  # of a run on features
    patches: Patches
    train: Subset
    validation: Subset


def share_training(processes: Processes, device: torch.device, job: Job, state_key: str) -> None:
    """Take part in a training that another process has started, which keeps what comes of it."""
    work = _prepare(job, device)
    saved = resume.load(Path(job.folder, STATE), state_key)
    _train(job, work, device, processes, Phases(), saved, save=lambda state: None)


def _prepare(job: Job, device: torch.device) -> Work:
    """Read what a training works on, and set up torch for it."""
    settings = job.settings
    torch.set_num_threads(max(1, job.cores // settings.gpus))
    make_deterministic(settings.deterministic)
    logging.info("%s: reading %s and %s", device_name(device), job.split, job.pack)
    heads = components.load(components.HEADS) if settings.feature_head != "none" else None
    patches = heads.Features(job.pack) if heads else Patches(job.pack, device)
    table = read_split(job.split, job.index)
    if job.fold not in set(table.fold):
        raise InputError(f"{job.split}: there is no fold {job.fold}")
    sides = parts(table, job.fold)
    train, validation = (make_subset(side, settings.balance, device) for side in sides)
    if min(len(train.rows), len(validation.rows)) < settings.gpus:
        raise InputError(f"gpus: {settings.gpus} are more than there are patches on a side of {job.split}")
    return Work(heads, patches, train, validation)


def _train(
    job: Job,
    work: Work,
    device: torch.device,
    processes: Processes,
    phases: Phases,
    saved: dict | None,
    save: Callable[[dict], None],
) -> tuple[Network, dict, Progress, torch.Tensor]:
    """Make the network and train it, together with other processes; saved, save: as of `engine.loop.fit`.

    Returns the network, the memory that was estimated, and what `fit` does.
    """
    settings, patches, train, heads = job.settings, work.patches, work.train, work.heads
    with _out_of_memory_in_words(settings):
        if heads:
            network, micro_batch, memory = heads.make_network(settings, patches)
        else:
            network, micro_batch, memory = make_network(
                settings, device, Path(job.formats), phases, processes
            )
            if settings.stain_normalisation != "none":
                with phases.phase("stain"):
                    network.normaliser = fit_normaliser(settings, patches, train.rows)
            images = settings.epochs * len(train.rows) // processes.count
            _compile(network, _shared(settings, processes), images, device, phases)
        torch.manual_seed(settings.seed + processes.rank)  # each process drops out others
        logging.info(
            "training for %d epochs in %s, %d patches at a time, lr %g",
            settings.epochs, network.compute, min(micro_batch, settings.batch_size), settings.lr,
        )  # fmt: skip
        done, logits = (heads.fit if heads else fit)(
            network,
            settings,
            patches,
            train,
            work.validation,
            micro_batch,
            saved,
            save=save,
            processes=processes,
        )
    return network, memory, done, logits


def make_network(
    settings: Settings,
    device: torch.device,
    formats: Path,
    phases: Phases,
    processes: Processes = ALONE,
) -> tuple[Network, int, dict]:
    """The network of a run on the device, ready to train, in the format that is fastest there.

    Returns it with the micro-batch that fits the memory, and the memory that a step and the machine have. Of
    several processes the first decides on the format and the micro-batch, which all of them take together.
    """
    logging.info("building %s, weights: %s", settings.backbone, settings.weights)
    with phases.phase("model"):
        torch.manual_seed(settings.seed)  # the head is drawn here
        model = build(settings).to(device)
        micro_batch, memory = processes.from_first(
            lambda: choose_micro_batch(model, settings.image_size, settings.batch_size, device)
        )
        micro_batch = -(-micro_batch // processes.count)  # they share the memory of a CPU
    logging.info("choosing memory layout and precision")
    with phases.phase("format"):
        shared = _shared(settings, processes)
        compute = processes.from_first(lambda: choose_format(model, shared, device, micro_batch, formats))
        model.to(memory_format=compute.memory_format)
    return Network(model, settings.image_size, compute, settings.tta), micro_batch, memory


def _shared(settings: Settings, processes: Processes) -> Settings:
    """The settings with the batch that a single process has."""
    return replace(settings, batch_size=settings.batch_size // processes.count)


def make_subset(table: pd.DataFrame, balance: str, device: torch.device) -> Subset:
    """The patches of one side of a split (`label,slide,row`), with the groups that `balance` asks for."""
    rows, labels = table.row.to_numpy(np.int64), table.label.to_numpy()
    groups = {"class": labels}
    if "slide" in balance:
        groups["slide"] = units_of(table, "slide")
    levels = [torch.tensor(groups[level]) for level in groups if level in balance.split("_and_")]
    return Subset(torch.tensor(rows), torch.tensor(labels.astype(np.float32), device=device), levels)


def fit_normaliser(settings: Settings, patches: Patches, rows: torch.Tensor) -> normaliser.Normaliser:
    """The normaliser that a run asks for, its reference fitted to a sample of the patches that train."""
    logging.info("fitting the reference of %s", settings.stain_normalisation)
    sample = normaliser.draw_sample(rows, settings.seed)
    return normaliser.fit(settings.stain_normalisation, patches.batches(sample, settings.batch_size))


def write_failure(reason: str, identity: dict, fold: int, history: list[dict], folder: Path) -> None:
    """Write the four files of a training that failed: valid, without results, with the reason in run.json.

    history: the epochs that were finished.
    """
    save_model({}, folder / "model.safetensors")
    write_table(pd.DataFrame(history, columns=HISTORY), folder / "history.csv")
    write_table(pd.DataFrame(columns=["id", "label", "probability"]), folder / "predictions.csv")
    write_json({"settings": identity, "fold": fold, "failed": reason}, folder / "run.json")


@contextlib.contextmanager
def _out_of_memory_in_words(settings: Settings) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise RunError(
            f"out of memory even with two patches at a time ({settings.backbone}, image_size "
            f"{settings.image_size}); lower image_size or take a smaller backbone"
        ) from None


def _compile(network: Network, settings: Settings, images: int, device: torch.device, phases: Phases) -> None:
    """Compile the training graph where training on so many images pays for it."""
    possible = device.type == "cuda" and not settings.deterministic
    if possible and worth_compiling(images, network.compute.images_per_second):
        logging.info("compiling the training graph")
        with phases.phase("compile"):
            compile_network(network, settings.batch_size, device)


def _report(
    identity: dict,
    fold: int,
    device: torch.device,
    network: Network,
    done: Progress,
    seconds: dict[str, float],
    memory: dict[str, int],
) -> dict:
    report = {
        "settings": identity,
        "fold": fold,
        "model": {
            **network.model.description(),
            "image_size": network.image_size,
            "symmetries": network.symmetries,
            "stain_normalisation": network.normaliser and network.normaliser.description(),
        },
        "device": device_name(device),
        "layout": network.predicts_in.layout,
        "precision": network.predicts_in.precision,
        "epochs": {"trained": len(done.history), "kept": done.kept_epoch},
        "micro_batch": done.micro_batch,
        "compiled": network.compiled is not None,
        "seconds": {phase: round(value, 3) for phase, value in seconds.items()},
        "images_per_second": round(
            sum(row["images_per_second"] for row in done.history) / len(done.history), 1
        ),
        "memory_bytes": memory,
        "peak_memory_bytes": {"process": peak_memory_bytes()},
        "libraries": library_versions(),
    }
    if device.type == "cuda":
        report["peak_memory_bytes"]["device"] = torch.cuda.max_memory_allocated(device)
    return report


if __name__ == "__main__":
    serve(share_training)
