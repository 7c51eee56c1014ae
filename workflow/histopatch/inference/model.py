"""An exported model: read from its folder, it predicts patches as the workflow predicts test images."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from histopatch.backbones.weights import read_weights
from histopatch.engine.predict import restore_network
from histopatch.errors import InputError
from histopatch.export.contents import REFERENCE, apart, sha256
from histopatch.export.description import DESCRIPTION, ONNX, WEIGHTS, existing, read_description
from histopatch.inference.patches import Images, check_images, parts
from histopatch.inference.runtimes import OpenVino, Torch
from histopatch.statistics.ensembles import average
from histopatch.statistics.recalibration import Recalibration, recalibrate

RUNTIMES = ("openvino", "torch")
DEVICES = ("cpu", "cuda", "mps")


@dataclass(frozen=True)
class Model:
    """Networks that are averaged. `description` is the content of model.json."""

    description: dict
    references: list[np.ndarray]  # by network, where ranks are averaged
    runtime: OpenVino | Torch

    @property
    def thresholds(self) -> dict[str, float]:
        """By operating point: from there on a probability, not recalibrated, is a positive call."""
        return {name: point["threshold"] for name, point in self.description["operating_points"].items()}

    def predict(self, images: Images, recalibrated: bool = False) -> np.ndarray:
        """The probability of label 1 of each of N patches (N float64), in their order.

        images: uint8 N×S×S×3, RGB, or a list of image files, of the size S that the model was trained for
        (`patch_size` in model.json); nothing else has to be done to them. recalibrated: False gives the
        probabilities that the workflow itself writes and that `thresholds` are for; True recalibrates them,
        which makes them right on average on patches like those of validation and keeps their order.

        Raises InputError, one line, for images of another kind or size, for a file that cannot be used, and
        where a model of mean ranks, which are no probabilities, is to be recalibrated.
        """
        size, fitted = self.description["patch_size"], self.description["recalibration"]
        if recalibrated and fitted is None:
            raise InputError("recalibrated: this model averages ranks, which cannot be recalibrated")
        check_images(images, size)
        found = [self.runtime.predict(pixels) for pixels in parts(images, size)]
        networks = np.concatenate([np.empty((len(self.description["networks"]), 0)), *found], axis=1)
        probabilities = average(networks, self.description["average"], self.references)
        if recalibrated:
            return recalibrate(probabilities, Recalibration(fitted["intercept"], fitted["slope"]))
        return probabilities


def load(folder: str | Path, device: str | torch.device | None = None, runtime: str | None = None) -> Model:
    """The model in a folder such as `results/demo/final/model`.

    device: as torch names it; None takes a GPU where torch finds one, and else the CPU. runtime: what
    computes the networks, `openvino` (in single precision, on a CPU only) or `torch` (in the precision that
    they were trained in); None takes OpenVINO on a CPU, where it is faster, and else PyTorch. Raises
    InputError, one line, where the folder holds no model that can be read here, or the device is not there.
    """
    folder, device = Path(folder), _device(device)
    runtime = runtime or ("openvino" if device.type == "cpu" else "torch")
    if runtime not in RUNTIMES or (runtime == "openvino" and device.type != "cpu"):
        raise InputError(f"runtime: {runtime!r} on {device.type}; use `torch`, or `openvino` on a CPU")
    _check_it_is_there(device)
    description = read_description(folder)
    references = _references(folder / WEIGHTS, len(description["networks"]))
    made = _openvino(folder, description) if runtime == "openvino" else _torch(folder, description, device)
    return Model(description, references, made)


def _device(name: str | torch.device | None) -> torch.device:
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError:
        raise InputError(f"device: torch knows no {name!r}; use `cpu` or `cuda`") from None
    if device.type not in DEVICES:
        raise InputError(f"device: models are not computed on {str(device)!r}; use `cpu`, `cuda` or `mps`")
    return device


def _check_it_is_there(device: torch.device) -> None:
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    else:
        count = int(device.type == "cpu" or torch.backends.mps.is_available())
    if not count:
        raise InputError(f"device: torch finds no GPU for {str(device)!r}; use `cpu`")
    if (device.index or 0) >= count:
        raise InputError(f"device: there is no {str(device)!r}; the last one is '{device.type}:{count - 1}'")


def _references(path: Path, count: int) -> list[np.ndarray]:
    """Of each of `count` networks the validation predictions, where ranks are averaged, else none.

    The weights themselves, which OpenVINO has in a file of its own, are not read.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            known = {*file.keys()}
            names = [f"{number}.{REFERENCE}" for number in range(count)]
            return [file.get_tensor(name) for name in names if name in known]
    except SafetensorError as error:
        raise InputError(f"{path}: not a file of weights, or damaged ({error}); copy it again") from None


def _openvino(folder: Path, description: dict) -> OpenVino:
    if sha256(existing(folder / ONNX)) != description["onnx"]["sha256"]:
        raise InputError(f"{folder}: {ONNX} does not belong to {DESCRIPTION}; copy both from the same model")
    symmetries = any(network["model"]["symmetries"] for network in description["networks"])
    return OpenVino(folder / ONNX, views=8 if symmetries else 1)


def _torch(folder: Path, description: dict, device: torch.device) -> Torch:
    known = description["networks"]
    weights = apart(read_weights(str(folder / WEIGHTS)), len(known))
    for own in weights:
        own.pop(REFERENCE, None)
    try:
        networks = [restore_network(*each, device) for each in zip(weights, known, strict=True)]
    except RuntimeError as error:
        if "Error(s) in loading state_dict" not in str(error):
            raise
        raise InputError(
            f"{folder}: {WEIGHTS} does not belong to {DESCRIPTION}; copy both from the same model"
        ) from None
    return Torch(networks, [network["micro_batch"] for network in known], device)
