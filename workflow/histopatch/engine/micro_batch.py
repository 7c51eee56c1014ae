"""How many patches go through a network at a time, so that training fits the memory of a CPU.

A GPU that runs out says so, and the loop halves the batch. A CPU's process is killed, so there the need is
estimated before the first step.
"""

import copy
import logging

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from histopatch.engine.memory import available_bytes
from histopatch.engine.network import evaluation_batch

# Times what a step keeps for the backward pass; the rest is gradients on their way and buffers of the
# convolutions.
OVERHEAD = 1.5
# Times the input and output of the largest layer of an evaluation, likewise.
EVALUATION_OVERHEAD = 3
# Weights, their gradients and the two moments of AdamW.
COPIES_OF_WEIGHTS = 4
# Of the available memory. A job keeps what it has freed (`cores.ENVIRONMENT`), in pieces that do not always
# fit again, so that peaks were up to 1.6 times the estimate (resnet18, 224 px), of others 1.3 times.
SHARE = 0.6


def training_bytes(model: nn.Module, size: int, batch: int) -> int:
    """Estimated memory of training on a CPU in fp32, on batches of size×size: of a step, or of evaluation.

    A copy of the model whose tensors have shapes but no values goes through a forward pass, so nothing is
    computed and nothing drawn. Counted are what autograd keeps for the backward pass, and for the larger
    batches of evaluation the input and output of a layer, which are all that lives at a time.
    """
    shapes = copy.deepcopy(model).to("meta").train()
    weights = {parameter.untyped_storage()._cdata for parameter in shapes.parameters()}
    kept, layers = {}, []

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights:
            kept[storage._cdata] = storage  # held, or its address might be given to another one
        return tensor

    def measure(layer: nn.Module, inputs: tuple, output) -> None:
        # Of some layers a tuple or a list, such as of an LSTM.
        tensors = filter(torch.is_tensor, tree_leaves((inputs, output)))
        layers.append(sum(tensor.nbytes for tensor in tensors))

    for layer in shapes.modules():
        if not list(layer.children()):
            layer.register_forward_hook(measure)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        shapes(torch.empty(batch, 3, size, size, device="meta"))
    step = OVERHEAD * sum(storage.nbytes() for storage in kept.values())
    weights = COPIES_OF_WEIGHTS * sum(parameter.nbytes for parameter in shapes.parameters())
    evaluated = evaluation_batch(batch, size, torch.device("cpu"))
    evaluation = EVALUATION_OVERHEAD * evaluated / batch * max(layers)
    return int(max(step, evaluation)) + weights


def choose_micro_batch(model: nn.Module, size: int, batch: int, device: torch.device) -> tuple[int, dict]:
    """The whole batch, or on a CPU with little memory the largest part of it by halving that fits, or two.

    Returns it with the bytes that were estimated and found available, for the report of a run.
    """
    if device.type != "cpu":
        return batch, {}
    needed, available, micro_batch = training_bytes(model, size, batch), available_bytes(), batch
    logging.info(
        "batches of %d need about %.1f GB, %.1f GB are available", batch, needed / 1e9, available / 1e9
    )
    taken = needed
    while micro_batch > 2 and taken > SHARE * available:
        micro_batch = max(2, -(-micro_batch // 2))
        taken = training_bytes(model, size, micro_batch)
    if needed > SHARE * available:
        logging.warning(
            "memory is short: gradients accumulate over micro-batches of %d, which need about %.1f GB; "
            "%.1f GB are available",
            micro_batch, taken / 1e9, available / 1e9,
        )  # fmt: skip
    return micro_batch, {"training_estimate": needed, "available": available}
