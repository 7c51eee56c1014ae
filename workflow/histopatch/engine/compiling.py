"""Compiled graphs, where a run is long enough to pay for them."""

import logging
import time

import torch

from histopatch.engine.network import Network
from histopatch.engine.trial import trial_speed

# Assumed before anything is compiled; afterwards the speed is measured and the faster one taken.
COMPILE_SECONDS = 60.0
GAIN = 0.2  # share of the training time that compiled graphs save


def worth_compiling(images: int, images_per_second: float) -> bool:
    """Whether training on `images` in all would win back the time that compiling takes."""
    return GAIN * images / images_per_second > COMPILE_SECONDS


def compile_network(network: Network, batch_size: int, device: torch.device) -> None:
    """Compile the training graph for full batches and keep it if it is faster.

    The last, smaller batch of an epoch and evaluation stay with the plain model: each further shape
    would be compiled anew.
    """
    started = time.perf_counter()
    graph = torch.compile(network.model, dynamic=False)
    plain = trial_speed(network.model, network.model, network.compute, batch_size, network.image_size, device)
    try:
        speed = trial_speed(graph, network.model, network.compute, batch_size, network.image_size, device)
    except Exception as error:  # compilers fail in many ways, and the plain model works
        logging.warning("not compiled, training goes on without: %s", str(error).splitlines()[0])
        return
    seconds = time.perf_counter() - started
    if speed > plain:
        network.compiled, network.compiled_batch = graph, batch_size
    verdict = "taken" if speed > plain else "not taken"
    logging.info("compiled in %.0f s: %.0f img/s, plain %.0f, %s", seconds, speed, plain, verdict)
