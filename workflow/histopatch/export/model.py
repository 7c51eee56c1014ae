"""The final model in files that need none of the experiment's tables."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

from histopatch.data.pixels import Pixels
from histopatch.engine.model_files import save_model
from histopatch.engine.predict import restore_network
from histopatch.evaluation.ensemble import read_validation
from histopatch.evaluation.predictions import known_patches
from histopatch.export.appearance import describe_appearance
from histopatch.export.contents import REFERENCE, together
from histopatch.export.description import FORMAT
from histopatch.export.onnx_file import write_onnx
from histopatch.files import read_table, write_json
from histopatch.statistics.ensembles import Ensemble
from histopatch.statistics.operating_points import CRITERIA
from histopatch.statistics.recalibration import Recalibration
from histopatch.statistics.selective import choose_confidences

# What a network is and how it computes, as its run.json has it.
NETWORK = ("fold", "model", "layout", "precision", "micro_batch", "libraries")
EXAMPLES = 64  # patches, evenly spaced in the pack, that the ONNX file is checked with


def export_model(
    experiment: str,
    best: str,
    models: Sequence[str],
    reports: Sequence[str],
    references: Sequence[str],
    predictions: Sequence[str],
    metrics: str,
    operating_points: str,
    pack: str,
    appearance: str,
    split: str,
    ensemble: Ensemble,
    positive: str | None,
    microns_per_pixel: float | None,
    weights: str,
    onnx: str,
    description: str,
) -> None:
    """Write the final model: its weights (safetensors), all it computes (ONNX), and how to use them (JSON).

    best: which runs were chosen; models, reports, references, ensemble: as of `engine.predict.predict_pack`;
    predictions: those of each network on its validation patches; metrics, operating_points: of the final
    model, with its recalibration and its thresholds; pack: of the training images, which knows the size of a
    patch, and from which the ONNX file is checked; appearance, split: the tables of its patches; positive:
    what the data set calls label 1, or None; microns_per_pixel: the resolution of its patches, or None where
    it is not known.

    The JSON has `format`, `experiment`, `labels`, `patch_size` (height and width in pixels),
    `microns_per_pixel`, `average` and `networks`, each with its `run`, `fold`, `model` (architecture, input
    size, normalisation, symmetries, stain), format of computing and libraries; `recalibration` of the mean
    probabilities (None for mean ranks, which are none), `operating_points`: thresholds of the averaged
    probabilities before it, with how near to it a probability is doubtful, `appearance` of what it was
    trained on, and `onnx`: what `write_onnx` returns.
    """
    runs = [json.loads(Path(report).read_text()) for report in reports]
    members = json.loads(Path(best).read_text())["members"]
    folds = len(runs) // len(members)
    networks = [safetensors.torch.load_file(model) for model in models]
    known = [read_table(path, ["probability"]).probability.to_numpy(np.float64) for path in references]
    patches, recalibration = Pixels(pack), _recalibration(metrics, ensemble)
    of_onnx = write_onnx(
        # A graph of mixed precision would be another one on each device.
        [
            restore_network(*each, torch.device("cpu"))
            for each in zip(networks, map(_single, runs), strict=True)
        ],
        ensemble.average,
        recalibration and Recalibration(recalibration["intercept"], recalibration["slope"]),
        known,
        patches[np.linspace(0, len(patches) - 1, min(EXAMPLES, len(patches)), dtype=int)],
        onnx,
    )
    for network, reference in zip(networks, known, strict=False):  # there are none unless ranks are averaged
        network[REFERENCE] = torch.tensor(reference)
    save_model(together(networks), Path(weights))
    with known_patches(split) as of_split:
        validated = read_validation(predictions, ensemble, of_split).together
    write_json(
        {
            "format": FORMAT,
            "experiment": experiment,
            "labels": {"0": "negative", "1": positive or "positive"},
            "patch_size": patches.shape[1],
            "microns_per_pixel": microns_per_pixel,
            "average": ensemble.average,
            "networks": [
                {"run": members[number // folds]["final_folder"], **{key: run[key] for key in NETWORK}}
                for number, run in enumerate(runs)
            ],
            "recalibration": recalibration,
            "operating_points": _operating_points(operating_points, validated.probabilities),
            "appearance": describe_appearance(appearance, split, [run["fold"] for run in runs]),
            "onnx": of_onnx,
        },
        description,
    )


def _single(run: dict) -> dict:
    return run | {"layout": "contiguous", "precision": "fp32"}


def _recalibration(metrics: str, ensemble: Ensemble) -> dict | None:
    if ensemble.average == "rank":
        return None
    return json.loads(Path(metrics).read_text())["recalibration"] | {"fitted_on": "validation patches"}


def _operating_points(table: str, validated: np.ndarray) -> dict[str, dict]:
    """What each threshold is for, and how near to it a share of the validation patches was, by share."""
    return {
        row.point: {
            "chosen_for": CRITERIA[row.point],
            "chosen_on": row.chosen_on,
            "threshold": row.threshold,
            "abstaining": {
                f"{share:g}": margin
                for share, margin in choose_confidences(validated, call=row.threshold).items()
            },
        }
        for row in read_table(table).itertuples()
    }
