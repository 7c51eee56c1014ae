import json

import pytest

from histopatch.errors import InputError
from histopatch.evaluation.rungs import going_on, left_out, rung_table
from histopatch.files import read_table
from histopatch.halving import rung_file


@pytest.fixture
def rung(tmp_path):
    """The table of a rung of 2 epochs from what each fold of each run measured."""

    def write(going_on: int, candidates: dict[str, str] | None = None, patience=0, **folds: list) -> str:
        runs = []
        for name, measured in folds.items():
            for fold, values in enumerate(measured):
                folder = tmp_path / f"runs/{name}-folder/fold-{fold}"
                folder.mkdir(parents=True)
                failed = isinstance(values, str)
                content = {"failed": values} if failed else {"history": [{"val_auc": v} for v in values]}
                (folder / rung_file(2)).write_text(json.dumps(content))
            candidate = (candidates or {}).get(name, name)
            run = {"run": name, "folder": f"{name}-folder", "folds": len(measured), "candidate": candidate}
            runs.append(run | {"patience": patience})
        table = str(tmp_path / "rung.csv")
        rung_table("rate", runs, 2, going_on, str(tmp_path / "runs"), table)
        return table

    return write


def test_the_better_runs_go_on_by_their_last_epoch(rung):
    table = rung(2, a=[[0.9, 0.7]], b=[[0.6, 0.8]], c=[[0.5, 0.6]], d=[[0.7, 0.75]])
    rows = read_table(table)
    assert [*rows.run] == ["b", "d", "a", "c"]
    assert [*rows.val_auc] == [0.8, 0.75, 0.7, 0.6]
    assert [*rows.goes_on] == [True, True, False, False]
    assert {*rows.epochs} == {2}
    assert going_on(table) == ["b-folder", "d-folder"]
    assert left_out([table]) == {"rate": {"a-folder": {"stopped_after": 2}, "c-folder": {"stopped_after": 2}}}


def test_with_patience_the_epoch_counts_whose_weights_are_kept(rung):
    table = rung(1, patience=3, a=[[0.8, 0.95, 0.9, 0.89]], b=[[0.8, 0.85, 0.88, 0.91]])
    assert read_table(table).set_index("run").val_auc.to_dict() == {"a": 0.95, "b": 0.91}
    assert going_on(table) == ["a-folder"]


def test_folds_count_by_their_mean(rung):
    table = rung(1, a=[[0.9], [0.5]], b=[[0.8], [0.7]])
    assert read_table(table).set_index("run").val_auc.to_dict() == pytest.approx({"a": 0.7, "b": 0.75})
    assert going_on(table) == ["b-folder"]


def test_runs_that_differ_in_their_seed_go_on_together(rung):
    """So that no lucky seed goes on."""
    same = {"a": "x", "lucky": "x", "b": "y", "c": "y"}
    table = rung(1, same, a=[[0.5]], lucky=[[0.9]], b=[[0.8]], c=[[0.7]])
    rows = read_table(table).set_index("run")
    assert rows.candidate_val_auc.to_dict() == pytest.approx({"a": 0.7, "lucky": 0.7, "b": 0.75, "c": 0.75})
    assert {*going_on(table)} == {"b-folder", "c-folder"}


@pytest.mark.input(
    "Training",
    "A run that fails in a rung, under `compare_others`",
    "listed with the reason; it does not go on",
)
def test_a_candidate_of_which_a_run_failed_does_not_go_on(rung):
    table = rung(
        2, {"a": "x", "other": "x"}, a=[[0.9]], other=["no memory"], b=[[0.8]], c=[[0.7], "diverged"]
    )
    assert going_on(table) == ["b-folder"]
    why = left_out([table])["rate"]
    assert why["other-folder"] == {"failed": "no memory"}
    assert why["c-folder"] == {"failed": "diverged"}
    assert why["a-folder"] == {"stopped_after": 2}


def test_a_rung_of_which_all_failed_is_one_line(rung):
    with pytest.raises(InputError, match=r"^studies\.rate: every configuration has a run that failed"):
        rung(1, a=["no memory"], b=["no memory"])


def test_a_training_that_ended_before_the_rung_counts_by_its_last_epoch(rung):
    assert going_on(rung(1, a=[[0.9]], b=[[0.6, 0.7]])) == ["a-folder"]
