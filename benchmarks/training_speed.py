"""How fast the engine trains and predicts, beside the notebook's loop and the bare training step.

    python benchmarks/training_speed.py

Every contestant runs in a process of its own, in turn, several rounds in one call, because machines are
shared and drift; the table gives medians and the ratios round by round. The notebook's loop has the
environment that a user's shell gives it, the engine and the bare step the one that the workflow gives jobs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from machine import describe_machine, table

from histopatch import cores

CASES = [("efficientnet_b0", 224), ("efficientnet_lite0", 112), ("resnet18", 96)]
CONTESTANTS = ["notebook", "bare", "engine", "notebook_inference", "engine_inference"]
BATCH = 64
# Batches that are timed, after one that is not: enough for a steady figure, few enough to wait for.
BATCHES = {"cpu": 4, "cuda": 200}
# Share of the bare step, and times the notebook, that the engine is to reach.
TARGETS = {
    "cpu": {"bare": 0.90, "inference": 2} | dict.fromkeys(CASES, 2),
    "cuda": {"bare": 0.95, "inference": 10} | dict.fromkeys(CASES, 4) | {("resnet18", 96): 8},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", choices=["cpu", "cuda"], help="by default a GPU where there is one")
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    parser.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--data", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    device = arguments.device or _default_device()
    if arguments.contestant:
        backbone, size = arguments.case
        speed = globals()[arguments.contestant](backbone, int(size), device, Path(arguments.data))
        print(json.dumps(speed))
        return
    with tempfile.TemporaryDirectory() as data:
        make_data(Path(data), images=BATCH * (BATCHES[device] + 1))
        rows = [row for case in CASES for row in compare(case, device, data, arguments.rounds)]
    print(describe_machine())
    print(table(rows))


def _default_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def make_data(folder: Path, images: int) -> None:
    """A folder of TIFFs and the pack of it."""
    from histopatch.data.images import ImageFiles
    from histopatch.data.listing import list_images
    from histopatch.data.pack import pack_images
    from histopatch.data.synthetic import write_dataset

    workers = cores.available_cores()
    write_dataset(folder, train_patches=images, test_patches=1, slides=4, seed=0, workers=workers)
    files = list_images(folder / "train")
    images = ImageFiles(str(folder / "train"), [Path(file).stem for file in files], files)
    pack_images(images, 96, folder / "train.npy", folder / "index.parquet", folder / "rejected.csv", workers)


def compare(case: tuple[str, int], device: str, data: str, rounds: int) -> list[dict]:
    """Rows of the table for one backbone and size."""
    speeds: dict[str, list[float]] = {contestant: [] for contestant in CONTESTANTS}
    for round_ in range(rounds):
        for contestant in CONTESTANTS:
            speeds[contestant].append(_run(contestant, case, device, data))
            print(f"round {round_ + 1} {case} {contestant}: {speeds[contestant][-1]:.1f}", file=sys.stderr)
    targets = TARGETS[device]
    return [
        _row(case, "training against the notebook", speeds, "engine", "notebook", targets[case]),
        _row(case, "training against the bare step", speeds, "engine", "bare", targets["bare"]),
        _row(
            case, "inference against the notebook", speeds, "engine_inference", "notebook_inference",
            targets["inference"],
        ),
    ]  # fmt: skip


def _run(contestant: str, case: tuple[str, int], device: str, data: str) -> float:
    command = [sys.executable, __file__, "--contestant", contestant, "--device", device]
    command += ["--case", *map(str, case), "--data", data]
    environment = os.environ | ({} if contestant.startswith("notebook") else cores.ENVIRONMENT)
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _row(case, measure: str, speeds: dict, ours: str, theirs: str, target: float) -> dict:
    ratios = [a / b for a, b in zip(speeds[ours], speeds[theirs], strict=True)]
    return {
        "measure": f"{case[0]} {case[1]} px, {measure}",
        "engine img/s": f"{statistics.median(speeds[ours]):.1f}",
        "other img/s": f"{statistics.median(speeds[theirs]):.1f}",
        "ratio": f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})",
        "target": f"≥ {target:g}",
    }


# --- the notebook -----------------------------------------------------------------------------------


class Folder:
    """The notebook's data set: a file opened, decoded and transformed at each access."""

    def __init__(self, folder: Path, transform):
        self.files, self.transform = sorted(folder.glob("*.tif")), transform

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int):
        from PIL import Image

        with Image.open(self.files[index]) as image:
            return self.transform(image.convert("RGB")), float(index % 2)


def _notebook_loader(data: Path, size: int, device: str, train: bool):
    """Two workers, batch 64 in training and 128 in prediction."""
    from torch.utils.data import DataLoader, Subset
    from torchvision import transforms

    flips = [transforms.RandomHorizontalFlip(), transforms.RandomVerticalFlip()]
    steps = [
        transforms.Resize((size, size)),
        *([*flips, transforms.RandomRotation(90)] if train else []),
        transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]
    images = Folder(data / "train", transforms.Compose(steps))
    usable = [i for i, file in enumerate(images.files) if _packed(file, data)]
    images = Subset(images, usable)
    batch = BATCH if train else 2 * BATCH
    return DataLoader(images, batch, shuffle=train, num_workers=2, pin_memory=device == "cuda")


def _packed(file: Path, data: Path) -> bool:
    """Whether the pack has the file: the synthetic set has two that cannot be read."""
    return file.name not in (data / "rejected.csv").read_text()


def _notebook_model(backbone: str, device: str):
    import torch

    from histopatch import components
    from histopatch.backbones.catalogue import BACKBONES

    row = BACKBONES[backbone]
    model = components.load(f"backbones.{row.source}").create(row.architecture)
    head = getattr(model, row.head)
    width = (head if isinstance(head, torch.nn.Linear) else head[-1]).in_features
    setattr(model, row.head, torch.nn.Sequential(torch.nn.Dropout(0.2), torch.nn.Linear(width, 1)))
    return model.to(device)


def notebook(backbone: str, size: int, device: str, data: Path) -> float:
    """Images per second of the notebook's training loop, from the end of its first batch."""
    import torch

    model = _notebook_model(backbone, device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=1e-4)
    criterion = torch.nn.BCEWithLogitsLoss()
    half = device == "cuda"
    scaler = torch.amp.GradScaler(device, enabled=half)
    seen, total, started = 0, 0.0, None
    for images, labels in _notebook_loader(data, size, device, train=True):
        images, labels = images.to(device), labels.float().to(device)
        optimizer.zero_grad()
        with torch.autocast(device, torch.float16, enabled=half):
            loss = criterion(model(images).squeeze(1), labels)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        total += loss.item()
        if started is None:
            started = time.perf_counter()
        else:
            seen += len(images)
    return seen / (time.perf_counter() - started)


def notebook_inference(backbone: str, size: int, device: str, data: Path) -> float:
    """Images per second of the notebook's prediction pass, its loader's start included as in the engine's."""
    import torch

    model = _notebook_model(backbone, device).eval()
    scores, half, started = [], device == "cuda", time.perf_counter()
    with torch.no_grad(), torch.autocast(device, torch.float16, enabled=half):
        for images, _ in _notebook_loader(data, size, device, train=False):
            scores.append(model(images.to(device)).squeeze(1).float().sigmoid().cpu())
    return len(torch.cat(scores)) / (time.perf_counter() - started)


# --- the engine -------------------------------------------------------------------------------------


def _engine(backbone: str, size: int, device: str, data: Path):
    """The network, the settings and the patches as a training has them."""
    import torch

    from histopatch.engine.patches import Patches
    from histopatch.engine.phases import Phases
    from histopatch.engine.train import make_network
    from histopatch.settings import Settings

    torch.set_num_threads(cores.available_cores())
    torch.backends.cudnn.benchmark = True
    settings = Settings(
        backbone=backbone, image_size=size, dropout=0.2, epochs=2, batch_size=BATCH, lr=3e-4,
        weight_decay=1e-4, precision="auto", seed=0, split="main",
        # The notebook's, and the stain of the recommended recipe, which costs more than its quarter turns.
        augmentation={"flips": True, "rotation": 90.0, "stain": 0.05},
    )  # fmt: skip
    device = torch.device(device)
    network, _, _ = make_network(settings, device, data / "formats", Phases())
    if device.type == "cuda":  # a benchmark is short; a run that is worth a benchmark is long
        from histopatch.engine.compiling import compile_network

        compile_network(network, BATCH, device)
    return network, settings, Patches(str(data / "train.npy"), device)


def bare(backbone: str, size: int, device: str, data: Path) -> float:
    """Images per second of forward, backward and optimiser step on one batch that is on the device."""
    import torch

    network, settings, _ = _engine(backbone, size, device, data)
    images = torch.randn(BATCH, 3, size, size, device=device)
    images = images.contiguous(memory_format=network.compute.memory_format)
    labels = torch.ones(BATCH, device=device)
    optimizer = torch.optim.AdamW(network.model.parameters(), lr=settings.lr, fused=True)
    criterion = torch.nn.BCEWithLogitsLoss()
    forward = network.compiled or network.model
    network.model.train()

    def step() -> None:
        with network.compute.autocast(images.device):
            logits = forward(images).float()
        criterion(logits, labels).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    step()
    _wait(device)
    started = time.perf_counter()
    for _ in range(BATCHES[device]):
        step()
    _wait(device)
    return BATCH * BATCHES[device] / (time.perf_counter() - started)


def engine(backbone: str, size: int, device: str, data: Path) -> float:
    """Images per second of the engine's own loop with full augmentation, in its second epoch."""
    import torch

    from histopatch.engine.loop import Subset, fit

    network, settings, patches = _engine(backbone, size, device, data)
    rows = torch.arange(BATCH * BATCHES[device])
    labels = (rows % 2).float().to(device)
    train, validation = Subset(rows, labels), Subset(rows[:BATCH], labels[:BATCH])
    done, _ = fit(network, settings, patches, train, validation, BATCH)
    return done.history[-1]["images_per_second"]


def engine_inference(backbone: str, size: int, device: str, data: Path) -> float:
    """Images per second of the engine's prediction, from the pack to probabilities."""
    import torch

    network, _, patches = _engine(backbone, size, device, data)
    started = time.perf_counter()
    rows = torch.arange(BATCH * BATCHES[device])
    scores = network.predict(patches, rows, BATCH).sigmoid().cpu()
    return len(scores) / (time.perf_counter() - started)


def _wait(device: str) -> None:
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
