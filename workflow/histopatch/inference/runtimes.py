"""What computes the networks of an exported model: PyTorch, or OpenVINO, which is faster on a CPU."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit

from histopatch.engine.network import Network
from histopatch.inference.patches import Part

MOST = 64  # patches at a time that training may have had memory for; another machine may have less
IMAGES = 8  # at a time with OpenVINO: more are no faster, and take more memory


class Torch:
    """The networks as they were trained. micro_batches: of each, what it was trained with at a time."""

    def __init__(self, networks: Sequence[Network], micro_batches: Sequence[int], device: torch.device):
        self.networks, self.micro_batches, self.device = networks, micro_batches, device

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """The probabilities (K×n float64) of K networks for uint8 n×S×S×3 patches."""
        part, rows = Part(pixels, self.device), torch.arange(len(pixels))
        logits = [
            network.predict(part, rows, min(MOST, micro_batch))
            for network, micro_batch in zip(self.networks, self.micro_batches, strict=True)
        ]
        return torch.stack(logits).double().sigmoid().cpu().numpy()


class OpenVino:
    """The networks in single precision on a CPU, with as many threads as PyTorch would take.

    path: model.onnx, whose output `logits` is used; views: images that a network computes for each patch.
    """

    def __init__(self, path: str | Path, views: int):
        import openvino  # which those with a GPU need not wait for

        # By default it computes in bf16 where a CPU has it, which changes probabilities by hundredths.
        properties = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        model = openvino.Core().compile_model(path, "CPU", properties)
        self._output = model.output("logits")
        self._queue = openvino.AsyncInferQueue(model)
        self._patches = max(1, IMAGES // views)

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """The probabilities (K×n float64) of K networks for uint8 n×S×S×3 patches."""
        found: dict[int, np.ndarray] = {}
        self._queue.set_callback(
            lambda request, start: found.update({start: request.get_tensor(self._output).data.copy()})
        )
        for start in range(0, len(pixels), self._patches):
            self._queue.start_async({0: pixels[start : start + self._patches]}, start)
        self._queue.wait_all()
        return expit(np.concatenate([found[start] for start in sorted(found)], axis=1).astype(np.float64))
