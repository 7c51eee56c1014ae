"""Tables of runs and predictions shared by the tests of several modules."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from histopatch.evaluation.predictions import Predictions

SETTINGS = {
    "backbone": "resnet18",
    "epochs": 2,
    "lr": 3e-4,
    "weight_decay": 1e-4,
    "dropout": 0.2,
    "scheduler": "none",
    "pos_weight": False,
    "seed": 42,
    "split": "main",
    "augmentation.flips": True,
}


@pytest.fixture
def table_of_runs(tmp_path):
    """Write a table of runs, each given as a dict of the columns in which it differs from the others.

    A run with a reason for `failed` has no results.
    """

    def write(*runs: dict) -> str:
        rows = []
        for i, run in enumerate(runs):
            auc = run.get("final_val_auc", 0.9)
            row = {"study": "one", "run": f"run{i}", "folder": f"folder{i}", **SETTINGS}
            row |= {"validated_on": "unseen slides", "folds": 1}
            row |= {"best_val_auc": auc, "final_val_auc": auc}
            row |= {"val_auc_low": auc - 0.01, "val_auc_high": auc + 0.01}
            row |= {"val_auc_interval": "DeLong", "difference_to_best": 0.0, "p_value": None}
            row |= {
                "fold_auc_mean": auc,
                "fold_auc_sd": None,
                "val_slides": None,
                "val_patients": None,
                "val_unmapped": None,
            }
            row |= {"tied_with_best": True, "val_log_loss": 0.3, "train_seconds": 10.0}
            if "failed" in run:
                known = {"study", "run", "folder", "validated_on", "folds", *SETTINGS}
                row = {column: value for column, value in row.items() if column in known}
            rows.append(row | run)
        path = Path(tmp_path, "runs.csv")
        pd.DataFrame(rows).to_csv(path, index=False)
        return str(path)

    return write


@pytest.fixture
def predictions():
    """Predictions of N patches from a number of slides (None: unknown), by a number of folds."""

    def make(count: int, slides: int | None = 8, folds: int = 1, seed: int = 0) -> Predictions:
        generator = np.random.default_rng(seed)
        labels = generator.permutation(np.arange(count) % 2)
        probabilities = 1 / (1 + np.exp(-2 * generator.normal(labels - 0.5)))
        slide_of_patch = None if slides is None else np.array([f"slide {i % slides}" for i in range(count)])
        return Predictions(np.arange(count), labels, probabilities, slide_of_patch, np.arange(count) % folds)

    return make
