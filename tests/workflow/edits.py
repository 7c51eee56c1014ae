"""Edits that the tests make in a project."""

import os
from pathlib import Path


def replace(path: Path, *replacements: tuple[str, str]) -> None:
    """Replace texts, each of which occurs exactly once in the file."""
    text = path.read_text()
    for old, new in replacements:
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {path}"
        text = text.replace(old, new)
    path.write_text(text)


def configure(project: Path, *replacements: tuple[str, str]) -> None:
    replace(project / "config.yaml", *replacements)


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def touch(path: Path) -> None:
    os.utime(path)


def sources(project: Path) -> list[Path]:
    """Every file that is under version control in a real project."""
    roots = [project / "workflow", project / "profiles"]
    files = [path for root in roots for path in root.rglob("*") if path.is_file()]
    return [project / "Snakefile", project / "config.yaml", *files]


def modules(project: Path) -> list[Path]:
    return [path for path in sources(project) if path.suffix == ".py"]
