"""An exported model: read from its folder, it predicts patches as the workflow predicts test images."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from histopatch.backbones.weights import read_weights
from histopatch.engine.network import Network
from histopatch.engine.predict import restore_network
from histopatch.errors import InputError
from histopatch.export.contents import REFERENCE, apart
from histopatch.export.description import DESCRIPTION, WEIGHTS, read_description
from histopatch.inference.patches import Images, Part, check_images, parts
from histopatch.statistics.ensembles import average
from histopatch.statistics.recalibration import Recalibration, recalibrate

MOST = 64  # patches at a time that training may have had memory for; another machine may have less


@dataclass(frozen=True)
class Model:
    """Networks that are averaged. `description` is the content of model.json."""

    description: dict
    networks: list[Network]
    references: list[np.ndarray]  # by network, where ranks are averaged
    device: torch.device

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
        found = [self._predict(Part(pixels, self.device)) for pixels in parts(images, size)]
        networks = np.concatenate([np.empty((len(self.networks), 0)), *found], axis=1)
        probabilities = average(networks, self.description["average"], self.references)
        if recalibrated:
            return recalibrate(probabilities, Recalibration(fitted["intercept"], fitted["slope"]))
        return probabilities

    def _predict(self, part: Part) -> np.ndarray:
        """The probabilities (K×n) of each network."""
        rows, known = torch.arange(len(part)), self.description["networks"]
        logits = [
            network.predict(part, rows, min(MOST, its["micro_batch"]))
            for network, its in zip(self.networks, known, strict=True)
        ]
        return torch.stack(logits).double().sigmoid().cpu().numpy()


def load(folder: str | Path, device: str | torch.device | None = None) -> Model:
    """The model in a folder such as `results/demo/final/model`.

    device: as torch names it; None takes a GPU where torch finds one, and else the CPU. Raises InputError,
    one line, where the folder holds no model that can be read here.
    """
    description = read_description(folder)
    weights = read_weights(str(Path(folder, WEIGHTS)))
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    known = description["networks"]
    own = apart(weights, len(known))
    references = [values.pop(REFERENCE).numpy() for values in own if REFERENCE in values]
    try:
        networks = [restore_network(*each, device) for each in zip(own, known, strict=True)]
    except RuntimeError as error:
        if "Error(s) in loading state_dict" not in str(error):
            raise
        raise InputError(
            f"{folder}: {WEIGHTS} does not belong to {DESCRIPTION}; copy both from the same model"
        ) from None
    return Model(description, networks, references, device)
