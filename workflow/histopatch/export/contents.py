"""The weights of an exported model: how those of several networks share one file."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

REFERENCE = "reference"  # beside the weights of a network: its validation predictions, to rank others among


def together(networks: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The weights of several networks by name, in front of which stands the number of the network, from 0."""
    return {f"{number}.{name}": value for number, own in enumerate(networks) for name, value in own.items()}


def apart(weights: dict[str, Tensor], count: int) -> list[dict[str, Tensor]]:
    """The weights of each of `count` networks that `together` put into one."""
    networks: list[dict[str, Tensor]] = [{} for _ in range(count)]
    for name, value in weights.items():
        number, _, own = name.partition(".")
        if number.isdecimal() and int(number) < count:
            networks[int(number)][own] = value
    return networks


def sha256(path: str | Path) -> str:
    """What model.json knows model.onnx by."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
