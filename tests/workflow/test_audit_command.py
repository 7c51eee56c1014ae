"""The audit of a split that was made elsewhere, as a command: its words and its exit status."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]


@pytest.fixture
def split(tmp_path) -> Path:
    """A folder of two parts with two images each, none like another."""
    rng = np.random.default_rng(0)
    for name in ("train/a", "train/b", "test/c", "test/d"):
        path = tmp_path / f"set/{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (24, 24, 3), np.uint8)).save(path)
    return tmp_path / "set"


def audit(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Call the command in a folder."""
    return subprocess.run(
        [sys.executable, ROOT / "workflow/commands/audit.py", *arguments],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT / "workflow")}, text=True, capture_output=True,
    )  # fmt: skip


def test_a_split_without_a_leak_ends_with_0(split):
    done = audit(split.parent, "--split", "set")
    assert done.returncode == 0, done.stderr
    assert "set: 4 patches on 2 sides (test 2, train 2)\n" in done.stdout
    assert "No leak was found.\nWhat could not be checked:\n  labels: none" in done.stdout
    assert done.stdout.endswith(
        "Every pair: results/audits/set/audit.csv; the figure: results/audits/set/audit.png\n"
    )
    assert (split.parent / "results/audits/set/audit.png").is_file()


def test_a_leak_ends_with_1(split):
    (split / "test/e.png").write_bytes((split / "train/a.png").read_bytes())
    done = audit(split.parent, "--split", "set", "--out", "found")
    assert done.returncode == 1, done.stderr
    assert (
        "1 pair of identical images on more than one side: 'test/e.png' (test) = 'train/a.png'" in done.stdout
    )
    assert done.stdout.startswith((split.parent / "found/audit.txt").read_text())


def test_wrong_input_ends_with_2_and_one_line(split):
    done = audit(split.parent, "--split", "none.csv", "--data", "set")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: none.csv: no such file or folder; SPLIT names a table or a folder with parts in it\n"
    )
