import logging

import pytest

from histopatch import config
from histopatch.experiment import Experiment, read_experiment

RAW = {
    "experiment": "mine",
    "experiments": {
        "mine": {
            "dataset": {"format": "synthetic"},
            "splits": {"main": {}, "crossed": {"folds": 3}},
            "defaults": {"backbone": "resnet18", "weights": "none", "epochs": 2},
            "studies": {
                "architecture": {
                    "runs": {"plain": {"lr": 2.0e-5}, "slow": {"lr": 1.0e-5}, "folded": {"split": "crossed"}}
                },
                "rate": {"grid": {"lr": [3.0e-4, 1.0e-3]}},
            },
            "final": {"study": "rate", "overrides": {"epochs": 4}},
        }
    },
}


@pytest.fixture(scope="session")
def mine() -> Experiment:
    return read_experiment("mine", config.load(RAW)["experiments"]["mine"])


@pytest.fixture
def record():
    """A record as Snakemake logs it."""

    def make(event=None, message="", level=logging.INFO, **fields) -> logging.LogRecord:
        made = logging.LogRecord("snakemake.logging", level, __file__, 1, message, None, None)
        made.__dict__.update(fields)
        if event is not None:
            made.event = event
        return made

    return make
