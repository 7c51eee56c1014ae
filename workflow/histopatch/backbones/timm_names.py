"""Whether timm has a network of a name, told from the text of its modules: importing it takes seconds."""

import difflib
import functools
import importlib.util
import re
from pathlib import Path

from histopatch.backbones.catalogue import HUB, TIMM
from histopatch.errors import InputError

REGISTERED = re.compile(r"^@register_model\s+def (\w+)\(", re.MULTILINE)


def check_name(backbone: str) -> None:
    """Raise InputError for `timm/<architecture>.<tag>` of an architecture that timm does not have.

    Which tags an architecture has, and what the hub has, is told only when the network is created.
    """
    if not backbone.startswith(TIMM) or backbone.startswith(TIMM + HUB):
        return
    architecture = backbone.removeprefix(TIMM).partition(".")[0]
    if architecture not in architectures():
        close = difflib.get_close_matches(architecture, architectures(), n=1)
        hint = f" (did you mean '{TIMM}{close[0]}'?)" if close else ""
        raise InputError(f"backbone: timm has no {architecture!r}{hint}; `timm.list_models()` names all")


@functools.cache
def architectures() -> frozenset[str]:
    """What timm calls its architectures."""
    folder = Path(importlib.util.find_spec("timm").origin).parent / "models"
    return frozenset(name for file in folder.glob("*.py") for name in REGISTERED.findall(file.read_text()))
