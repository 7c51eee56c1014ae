"""The final model: which run it is made of, and how good it is."""

import json
from pathlib import Path

from pcam.evaluation.kept import read_kept, read_slides
from pcam.evaluation.metrics import summarise
from pcam.files import read_table, write_json

COLUMN = {"val_auc": "final_val_auc", "val_log_loss": "val_log_loss"}
HIGHER_IS_BETTER = {"val_auc": True, "val_log_loss": False}


def choose_best(study: str, metric: str, final_runs: dict[str, str], best: str) -> None:
    """Pick the best run of a study's table and say which run the final training of it is.

    final_runs: the folder of the final training by the folder of the run that won. A tie goes to the
    run that stands first in the table.
    """
    rows = read_table(study)
    ranked = rows.sort_values(COLUMN[metric], ascending=not HIGHER_IS_BETTER[metric], kind="stable")
    winner = ranked.iloc[0]
    choice = {
        "run": winner.run,
        "folder": winner.folder,
        "metric": metric,
        "value": float(winner[COLUMN[metric]]),
        "chosen_from": len(rows),
        "final_folder": final_runs[winner.folder],
    }
    write_json(choice, best)


def final_metrics(best: str, predictions: str, split: str, metrics: str) -> None:
    """Metrics of the final model on the validation part, with what to think of them."""
    kept = read_kept(predictions, read_slides(split))
    choice = json.loads(Path(best).read_text())
    report = summarise(kept.labels, kept.probabilities, kept.slides)
    report["final_folder"] = choice["final_folder"]
    report["note"] = (
        f"The run was chosen among {choice['chosen_from']} on these same validation patches, which "
        "makes the figure optimistic; on new patches expect less."
    )
    write_json(report, metrics)
