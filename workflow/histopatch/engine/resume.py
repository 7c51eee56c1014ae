"""The state of a training after its last finished epoch, from which a killed one resumes bit for bit."""

import hashlib
import json
import logging
import zipfile
from collections.abc import Sequence
from pathlib import Path

import torch

from histopatch.engine.model_files import library_versions
from histopatch.files import replacing


def fingerprint(identity: dict, code: str, split: str, large: Sequence[str]) -> str:
    """Digest of what a state depends on: settings, code, libraries, split, pack and weights to start from.

    code: digest of the training code; split: path of a table, which is read whole; large: paths of files too
    large for that, known by size and time of writing. What is no file, such as `imagenet`, is in `identity`.
    """
    files = [path.stat() for path in map(Path, large) if path.is_file()]
    large_facts = [(file.st_size, file.st_mtime_ns) for file in files]
    facts = [identity, code, library_versions(), Path(split).read_text(), large_facts]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def save(path: Path, state: dict, fingerprint: str) -> None:
    """Write a state and its fingerprint, whole or not at all."""
    with replacing(path) as temporary, open(temporary, "wb") as file:
        try:
            torch.save({"fingerprint": fingerprint, **state}, file)
        except RuntimeError as error:
            raise error.__context__ or error from None  # what the system says, such as a full disk


def load(path: Path, fingerprint: str) -> dict | None:
    """The saved state, or None where it is missing, damaged or from before an edit."""
    if not path.is_file():
        return None
    try:
        with zipfile.ZipFile(path) as archive:  # whose checksums torch does not look at
            if broken := archive.testzip():
                raise zipfile.BadZipFile(f"{broken} does not have its checksum")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle and zip raise all kinds for a file that a crash cut short
        logging.warning("%s: the saved state is damaged (%s); starting afresh", path, type(error).__name__)
        return None
    if not isinstance(state, dict) or state.pop("fingerprint", None) != fingerprint:
        logging.info("the saved state is from before an edit; starting afresh")
        return None
    return state


def random_states(generator: torch.Generator, device: torch.device) -> dict:
    """Every random state that a training on a device draws from: the order and augmentation, and dropout."""
    states = {"generator": generator.get_state(), "cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def set_random_states(states: dict, generator: torch.Generator, device: torch.device) -> None:
    """Put back what `random_states` returned, which may have been of another GPU."""
    generator.set_state(states["generator"])
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
