import io
import json

import pytest

from histopatch.backbones import check

SETTINGS = {"batch_size": 8, "epochs": 1, "lr": 1e-3, "seed": 0, "split": "main", "backbone": "timm/test_vit"}


@pytest.fixture
def told(monkeypatch, capsys):
    """The status and what is printed, for runs with these sizes."""

    def told(*sizes: int) -> tuple[int, str]:
        runs = [{**SETTINGS, "image_size": size} for size in sizes]
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(runs)))
        return check.main(), capsys.readouterr().err

    return told


def test_runs_whose_networks_take_their_sizes_pass_in_silence(told):
    assert told(32, 96) == (0, "")


def test_the_first_fault_is_one_line(told):
    status, printed = told(32, 100, 101)
    assert status == 1
    assert printed.startswith("Error: image_size: timm/test_vit does not take 100 px (")
    assert printed.count("\n") == 1
