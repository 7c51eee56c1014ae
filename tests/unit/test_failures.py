import json

import pandas as pd
import pytest

from histopatch.errors import InputError
from histopatch.failures import check_final, failed, failure, finished, stopped


@pytest.fixture
def folds(tmp_path):
    """The folders of a run's folds, each with the reason why it failed, or None."""

    def write(*reasons: str | None):
        folders = [tmp_path / f"run/fold-{fold}" for fold in range(len(reasons))]
        for folder, reason in zip(folders, reasons, strict=True):
            folder.mkdir(parents=True)
            report = {"fold": 0} | ({"failed": reason} if reason else {})
            (folder / "run.json").write_text(json.dumps(report))
        return folders

    return write


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ([None], None),
        (["no memory"], "no memory"),
        ([None, None], None),
        ([None, "no memory", "worse"], "fold 1: no memory"),
    ],
)
def test_a_run_of_which_one_fold_failed_failed(folds, reasons, expected):
    assert failure(folds(*reasons)) == expected


def test_a_final_training_that_failed_is_one_line(folds):
    files = [folder / "predictions.csv" for folder in folds(None, "no memory")]
    with pytest.raises(InputError, match=r"^the final training failed: fold 1: no memory; change final\."):
        check_final(files)


def test_of_several_final_trainings_the_one_that_failed_is_named(folds, tmp_path):
    finished = [tmp_path / f"other/fold-{fold}/predictions.csv" for fold in range(2)]
    files = [folder / "predictions.csv" for folder in folds(None, "no memory")]
    with pytest.raises(InputError, match=r"failed: fold 1: no memory; .* delete \S*/run to train it again$"):
        check_final([*finished, *files])


def test_a_final_training_that_is_finished_passes(folds):
    check_final([folder / "predictions.csv" for folder in folds(None, None)])


def test_rows_with_a_reason_failed():
    table = pd.DataFrame({"run": ["a", "b"], "failed": [None, "no memory"]})
    assert [*failed(table)] == [False, True]
    assert [*finished(table).run] == ["a"]


def test_rows_that_halving_stopped_are_not_finished():
    table = pd.DataFrame(
        {"run": ["a", "b", "c"], "stopped_after": [None, 2, None], "failed": [None, None, "x"]}
    )
    assert [*stopped(table)] == [False, True, False]
    assert [*finished(table).run] == ["a"]


def test_without_reasons_none_failed():
    table = pd.DataFrame({"run": ["a", "b"]})
    assert [*stopped(table)] == [False, False]
    assert [*failed(table)] == [False, False]
    assert finished(table).equals(table)
