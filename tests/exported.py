"""An exported model made by hand: two networks with random weights, without an experiment."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import safetensors.torch
import torch

from histopatch.backbones.build import build
from histopatch.data.appearance import measure
from histopatch.data.clusters import FEATURES
from histopatch.engine.formats import Format
from histopatch.engine.network import Network
from histopatch.engine.predict import predict_pack
from histopatch.export.model import export_model
from histopatch.settings import Settings
from histopatch.stain import normaliser
from histopatch.statistics.ensembles import Ensemble

IMAGE_SIZE = 32
FITTED = {"intercept": -0.7, "slope": 1.6}
THRESHOLD = 0.42


def make_model(
    exported: Path,
    pixels: np.ndarray,
    average: str = "probability",
    symmetries: bool = False,
    stain: str | None = None,
    size: int = IMAGE_SIZE,
    microns_per_pixel: float | None = None,
) -> np.ndarray:
    """Export a final model of two members to a folder, and return what the workflow predicts for the patches.

    pixels: uint8 N×H×H×3, the training patches, each of which is predicted differently. Their validation
    predictions are random.
    """
    count, root = len(pixels), exported.parent / "made"
    folders = [root / f"runs/run-{seed}/fold-0" for seed in range(2)]
    ids = [f"p{row:02d}" for row in range(count)]
    for seed, folder in enumerate(folders):
        write_run(folder, pixels, ids, seed, symmetries, stain, size)
    np.save(root / "train.npy", pixels)
    pd.DataFrame({"id": ids, "row": range(count)}).to_parquet(root / "index.parquet", index=False)
    measured = pd.DataFrame(measure(pixels), columns=FEATURES)
    measured.assign(id=ids).to_csv(root / "appearance.csv", index=False)
    split = pd.DataFrame({"id": ids, "label": np.arange(count) % 2, "slide": "", "fold": -1})
    split.to_csv(root / "split.csv", index=False)
    members = [{"final_folder": f"run-{seed}"} for seed in range(2)]
    (root / "best.json").write_text(json.dumps({"members": members}))
    (root / "metrics.json").write_text(json.dumps({"recalibration": FITTED}))
    point = {"point": "youden", "chosen_on": "validation patches", "threshold": THRESHOLD}
    pd.DataFrame([point]).to_csv(root / "points.csv", index=False)
    models, reports, known = (
        [str(folder / name) for folder in folders]
        for name in ("model.safetensors", "run.json", "predictions.csv")
    )
    references, ensemble = known if average == "rank" else [], Ensemble(2, average)
    predicted = str(root / "predicted.csv")
    predict_pack(
        models, reports, references, ensemble, str(root / "train.npy"), str(root / "index.parquet"),
        predicted, {"device": "cpu", "workers": 1}, 1,
    )  # fmt: skip
    export_model(
        "mine", str(root / "best.json"), models, reports, references, known, str(root / "metrics.json"),
        str(root / "points.csv"), str(root / "train.npy"), str(root / "appearance.csv"),
        str(root / "split.csv"), ensemble, "tumour", microns_per_pixel,
        *(str(exported / file) for file in ("model.safetensors", "model.onnx", "model.json")),
    )  # fmt: skip
    wanted = pd.read_csv(predicted).probability.to_numpy()
    shutil.rmtree(root)  # nothing else is needed from here on
    return wanted


def write_run(
    folder: Path,
    pixels: np.ndarray,
    ids: list[str],
    seed: int,
    symmetries: bool,
    stain: str | None,
    size: int,
) -> None:
    """A network with random weights whose predictions differ widely from patch to patch."""
    folder.mkdir(parents=True)
    torch.manual_seed(seed)
    settings = Settings(
        backbone="resnet18", image_size=size, batch_size=4, epochs=1, lr=1e-3, seed=seed, split="main"
    )
    model = build(settings)
    with torch.no_grad():
        logits = Network(model.eval(), size, Format("contiguous", "fp32")).logits(torch.tensor(pixels))
        model.head[1].weight /= logits.std()
        model.head[1].bias.copy_(0.5 - (logits.mean() - model.head[1].bias) / logits.std())
    reference = normaliser.fit(stain or "reinhard", [torch.tensor(pixels[::-1] // 2)]).description()
    safetensors.torch.save_file(model.state_dict(), folder / "model.safetensors")
    description = model.description() | {"image_size": size, "symmetries": symmetries}
    run = {
        "settings": asdict(settings), "fold": 0, "layout": "contiguous", "precision": "fp32",
        "micro_batch": 3, "libraries": {"torch": "2"},
        "model": description | {"stain_normalisation": reference if stain else None},
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(run))
    known = pd.DataFrame(
        {"id": ids, "label": np.arange(len(ids)) % 2, "probability": np.linspace(0, 1, len(ids))}
    )
    known.to_csv(folder / "predictions.csv", index=False)
