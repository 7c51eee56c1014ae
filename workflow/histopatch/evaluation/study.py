"""The table of one study, for readers: best run first, and the columns that matter most first."""

from histopatch.files import read_table, write_table

FIRST_COLUMNS = [
    "run", "backbone", "epochs", "best_val_auc", "final_val_auc", "val_auc_low", "val_auc_high",
    "tied_with_best", "validated_on", "lr", "weight_decay", "dropout", "scheduler", "pos_weight",
]  # fmt: skip


def study_table(runs: str, study: str, table: str) -> None:
    """Write the rows of one study (of CSV `study,run,folder`, settings, results), best AUROC first.

    The columns are FIRST_COLUMNS, then all others except `study`.
    """
    rows = read_table(runs)
    rows = rows[rows.study == study].sort_values("final_val_auc", ascending=False, kind="stable")
    columns = FIRST_COLUMNS + [c for c in rows if c not in [*FIRST_COLUMNS, "study"]]
    write_table(rows[columns], table)
