"""Tables of runs as `compare_runs` writes them, with results that a test chooses."""

from pathlib import Path

import pandas as pd
import pytest

SETTINGS = {
    "backbone": "resnet18",
    "epochs": 2,
    "lr": 3e-4,
    "weight_decay": 1e-4,
    "dropout": 0.2,
    "scheduler": "none",
    "pos_weight": False,
    "augmentation.flips": True,
}


@pytest.fixture
def table_of_runs(tmp_path):
    """Write a table: each run is a dict of what is special about it."""

    def write(*runs: dict) -> str:
        rows = []
        for i, run in enumerate(runs):
            auc = run.get("final_val_auc", 0.9)
            row = {"study": "one", "run": f"run{i}", "folder": f"folder{i}", **SETTINGS}
            row |= {"best_val_auc": auc, "final_val_auc": auc}
            row |= {"val_auc_low": auc - 0.01, "val_auc_high": auc + 0.01}
            row |= {"val_log_loss": 0.3, "train_seconds": 10.0}
            rows.append(row | run)
        path = Path(tmp_path, "runs.csv")
        pd.DataFrame(rows).to_csv(path, index=False)
        return str(path)

    return write
