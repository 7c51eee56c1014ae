"""Gradients of the mean loss over one batch, in pieces where memory asks for it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from histopatch.augmentation.draws import Draws
from histopatch.engine.device import is_out_of_memory
from histopatch.engine.network import Network
from histopatch.engine.parts import even_parts


@dataclass
class Batch:
    """N patches of a step, all of them or the share of one process."""

    pixels: Tensor  # uint8 N×H×W×3, on the device
    draws: Draws
    targets: Tensor  # N in [0, 1]
    size: int  # height and width in pixels that the network sees
    whole: int  # patches of the step


def accumulate_gradients(
    network: Network,
    loss_function: Callable[[Tensor, Tensor], Tensor],
    scaler: torch.amp.GradScaler,
    batch: Batch,
    hard_share: float,
    micro_batch: int,
) -> tuple[Tensor, int]:
    """Add the gradients of the mean loss, of all patches or of the share with the highest losses.

    Of a process's share of a step they are its part of the mean over the step. Returns the loss, likewise,
    and the micro-batch that it worked with: out of memory halves it, down to two patches. The share with the
    highest losses is of each micro-batch (online hard example mining, Shrivastava et al., CVPR 2016).
    """
    count = len(batch.targets)
    while True:
        try:
            total = torch.zeros((), device=batch.targets.device)
            start = 0
            for size in even_parts(count, micro_batch):
                part, start = slice(start, start + size), start + size
                logits = network.logits(batch.pixels[part], batch.draws[part], batch.size)
                losses = loss_function(logits, batch.targets[part])
                loss = _mean_of_hardest(losses, hard_share) * (len(losses) / batch.whole)
                scaler.scale(loss).backward()
                total += loss.detach()
            return total, micro_batch
        except RuntimeError as error:
            if not is_out_of_memory(error) or micro_batch <= 2:
                raise
        # Outside of `except`, whose traceback keeps the tensors that have to go.
        network.model.zero_grad(set_to_none=True)
        torch.cuda.empty_cache()
        micro_batch = max(2, -(-min(micro_batch, count) // 2))
        logging.warning("out of memory: accumulating gradients over %d patches", micro_batch)


def _mean_of_hardest(losses: Tensor, share: float) -> Tensor:
    if share < 1:
        losses = losses.topk(max(1, round(share * len(losses)))).values
    return losses.mean()
