"""A training that pauses at the end of a rung of successive halving."""

import json
from pathlib import Path

from histopatch.files import read_table, write_json
from histopatch.halving import rung_file


class Paused(Exception):  # noqa: N818, as it is no error
    """A training has come to where it is to pause."""

    def __init__(self, history: list[dict]):
        self.history = history


def write_rung(folder: Path, epochs: int, history: list[dict]) -> None:
    """Write what a training has measured in its first epochs, or in all if it had fewer."""
    write_json({"history": history[:epochs]}, folder / rung_file(epochs))


def write_failed_rung(folder: Path, epochs: int, reason: str) -> None:
    """Write why a training failed on its way to the end of a rung."""
    write_json({"failed": reason}, folder / rung_file(epochs))


def known_history(folder: Path, epochs: int, saved: dict | None, made_from: str) -> list[dict] | None:
    """The history of a training that came to the end of a rung before; None where it has to be trained.

    saved: the state of one that was paused later or killed; made_from: the fingerprint of the training, by
    which one that is finished is known to be the same.
    """
    if saved and len(saved["progress"]["history"]) >= epochs:
        return saved["progress"]["history"]
    report = folder / "run.json"
    if report.is_file() and json.loads(report.read_text()).get("made_from") == made_from:
        return read_table(folder / "history.csv").to_dict("records")
    return None
