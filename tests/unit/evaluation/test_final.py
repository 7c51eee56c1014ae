import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from pcam.evaluation.final import choose_best, final_metrics

RUNS = [
    {"run": "accurate", "folder": "a", "final_val_auc": 0.95, "best_val_auc": 0.95, "val_log_loss": 0.30},
    {"run": "calibrated", "folder": "b", "final_val_auc": 0.94, "best_val_auc": 0.99, "val_log_loss": 0.20},
    {"run": "tie", "folder": "c", "final_val_auc": 0.95, "best_val_auc": 0.95, "val_log_loss": 0.20},
]


@pytest.fixture
def best(table_of_runs, tmp_path):
    def choose(metric: str, *runs: dict) -> dict:
        final = {run["folder"]: f"{run['folder']}-final" for run in RUNS}
        choose_best(table_of_runs(*runs), metric, final, str(tmp_path / "best.json"))
        return json.loads((tmp_path / "best.json").read_text())

    return choose


@pytest.mark.parametrize(
    ("metric", "winner", "value"), [("val_auc", RUNS[0], 0.95), ("val_log_loss", RUNS[1], 0.2)]
)
@pytest.mark.parametrize("order", [[0, 1, 2], [1, 0, 2]])
def test_the_best_is_the_best_by_the_metric_the_first_in_a_tie(best, metric, winner, value, order):
    """The AUROC is that of the kept model, not of an epoch that is gone."""
    assert best(metric, *(RUNS[i] for i in order)) == {
        "run": winner["run"],
        "folder": winner["folder"],
        "metric": metric,
        "value": value,
        "chosen_from": 3,
        "final_folder": f"{winner['folder']}-final",
    }


def test_the_name_of_a_run_may_look_like_something_else(best):
    assert best("val_auc", {"run": "NA", "folder": "a"})["run"] == "NA"


def test_the_metrics_say_how_good_and_how_far_to_trust_it(tmp_path, csv):
    csv("best.json", '{"chosen_from": 4, "final_folder": "a-final"}')
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    predictions = pd.DataFrame(
        {"id": range(40), "label": labels, "probability": rng.random(40) / 2 + labels / 4}
    )
    predictions.to_csv(tmp_path / "predictions.csv", index=False)
    (tmp_path / "split.csv").write_text("id,slide\n" + "".join(f"{id_},\n" for id_ in predictions.id))
    paths = (tmp_path / name for name in ("best.json", "predictions.csv", "split.csv", "metrics.json"))
    final_metrics(*map(str, paths))
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["val_auc"] == pytest.approx(roc_auc_score(labels, predictions.probability))
    assert metrics["val_auc_low"] < metrics["val_auc"] < metrics["val_auc_high"]
    assert (metrics["patches"], metrics["positive"], metrics["final_folder"]) == (40, 20, "a-final")
    assert "chosen among 4 on these same validation patches" in metrics["note"]
    assert "optimistic" in metrics["note"]
