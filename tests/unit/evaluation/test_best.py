import json
import subprocess
import sys
from pathlib import Path

import pytest

import histopatch
from histopatch.errors import InputError
from histopatch.evaluation.best import choose_best
from histopatch.statistics.metrics import METRICS

LIBRARY = str(Path(histopatch.__file__).parents[1])
RUNS = [
    {"run": "accurate", "folder": "a", "lr": 1.0, "final_val_auc": 0.95, "val_log_loss": 0.30},
    {"run": "calibrated", "folder": "b", "lr": 2.0, "final_val_auc": 0.94, "val_log_loss": 0.20},
    {"run": "tie", "folder": "c", "lr": 3.0, "final_val_auc": 0.95, "val_log_loss": 0.20},
]


@pytest.fixture
def best(table_of_runs, tmp_path):
    def choose(*runs: dict, metric: str = "val_auc", select: str = "best", members: int = 1, **same) -> dict:
        final = {f"folder{i}": f"folder{i}-final" for i in range(len(runs))}
        final |= {run["folder"]: f"{run['folder']}-final" for run in RUNS}
        choose_best(table_of_runs(*runs), metric, select, members, final | same, str(tmp_path / "best.json"))
        return json.loads((tmp_path / "best.json").read_text())

    return choose


@pytest.mark.parametrize(
    ("metric", "winner", "value"), [("val_auc", RUNS[0], 0.95), ("val_log_loss", RUNS[1], 0.2)]
)
@pytest.mark.parametrize("order", [[0, 1, 2], [1, 0, 2]])
def test_the_best_is_the_best_by_the_metric_the_first_in_a_tie(best, metric, winner, value, order):
    member = {
        "run": winner["run"],
        "folder": winner["folder"],
        "value": value,
        "seeds": 1,
        "final_folder": f"{winner['folder']}-final",
    }
    assert best(*(RUNS[i] for i in order), metric=metric) == member | {
        "metric": metric,
        "select": "best",
        "chosen_from": 3,
        "members": [member],
    }


CRITERIA = [name for name, metric in METRICS.items() if metric.criterion]


@pytest.mark.parametrize("name", CRITERIA)
def test_every_criterion_ranks_by_its_column_in_its_direction(best, name):
    column = METRICS[name].column
    choice = best({"lr": 1.0, column: 0.2}, {"lr": 2.0, column: 0.4}, metric=f"val_{name}")
    assert choice["run"] == ("run1" if METRICS[name].higher_is_better else "run0")


def test_the_auroc_is_that_of_the_last_epoch_whose_model_is_kept(best):
    choice = best({"lr": 1.0, "final_val_auc": 0.9}, {"lr": 2.0, "final_val_auc": 0.8, "best_val_auc": 0.99})
    assert choice["run"] == "run0"


def test_the_name_of_a_run_may_look_like_something_else(best):
    assert best({"run": "NA"})["run"] == "NA"


def test_seeds_are_one_candidate_with_their_mean(best):
    """No lucky seed is chosen, and the seed that stands for all is the lowest."""
    choice = best(
        {"lr": 1.0, "seed": 8, "final_val_auc": 0.99},
        {"lr": 2.0, "seed": 8, "final_val_auc": 0.96},
        {"lr": 2.0, "seed": 7, "final_val_auc": 0.95},
        {"lr": 1.0, "seed": 7, "final_val_auc": 0.90},
    )
    assert (choice["run"], choice["folder"], choice["seeds"]) == ("run2", "folder2", 2)
    assert choice["value"] == pytest.approx(0.955)
    assert choice["chosen_from"] == 2


CANDIDATES = [
    {"lr": 1.0, "final_val_auc": 0.95, "train_seconds": 50.0, "tied_with_best": True},
    {"lr": 2.0, "final_val_auc": 0.94, "train_seconds": 20.0, "tied_with_best": True},
    {"lr": 3.0, "final_val_auc": 0.93, "train_seconds": 30.0, "tied_with_best": True},
    {"lr": 4.0, "final_val_auc": 0.90, "train_seconds": 1.0, "tied_with_best": False},
    {"lr": 5.0, "final_val_auc": 0.94, "train_seconds": 1.0, "tied_with_best": None},
]


@pytest.mark.parametrize(("select", "run"), [("best", "run0"), ("cheapest_tied", "run1")])
def test_of_those_tied_with_the_best_the_cheapest_can_be_chosen(best, select, run):
    choice = best(*CANDIDATES, select=select)
    assert (choice["run"], choice["select"], choice["chosen_from"]) == (run, select, 5)


def test_a_candidate_of_which_one_seed_is_worse_is_not_tied(best):
    worse = CANDIDATES[1] | {"seed": 43, "tied_with_best": False}
    assert best(*CANDIDATES, worse, select="cheapest_tied")["run"] == "run2"


@pytest.mark.parametrize("job", ["best", "study", "seeds"])
def test_a_job_that_only_reads_a_table_imports_nothing_that_takes_a_second(job):
    code = f"import sys, histopatch.evaluation.{job}; print({{'sklearn', 'scipy.stats'}} & {{*sys.modules}})"
    process = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": LIBRARY}, capture_output=True)
    assert process.stdout.decode().strip() == "set()"


@pytest.mark.parametrize(
    ("select", "members"),
    [
        ("best", ["run0", "run1", "run4", "run2", "run3"]),
        # Those tied with the best, the fastest first; then all others, the best first.
        ("cheapest_tied", ["run1", "run2", "run0", "run4", "run3"]),
    ],
)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_members_are_those_that_rank_first(best, select, members, count):
    choice = best(*CANDIDATES, select=select, members=count)
    assert [member["run"] for member in choice["members"]] == members[:count]
    first = choice["members"][0]
    assert first == {key: choice[key] for key in first}


def test_seeds_are_one_member(best):
    runs = [{"lr": lr, "seed": seed, "final_val_auc": 0.9 + lr / 100} for lr in (1, 2) for seed in (8, 7)]
    choice = best(*runs, members=2)
    assert [(member["run"], member["seeds"]) for member in choice["members"]] == [("run3", 2), ("run1", 2)]


def test_no_final_training_is_a_member_twice(best):
    choice = best(*CANDIDATES, members=3, folder1="folder0-final")
    assert [member["run"] for member in choice["members"]] == ["run0", "run4", "run2"]


@pytest.mark.input(
    "Training", "Runs that fail, so that too few are left for the ensemble", "one line that says how many are"
)
def test_an_ensemble_of_more_runs_than_are_left_is_one_line(best):
    failed = {"lr": 9.0, "failed": "training diverged"}
    assert len(best(*CANDIDATES, failed, members=5)["members"]) == 5
    with pytest.raises(InputError, match=r"final\.ensemble asks for 6 runs, .* come to 5 final trainings"):
        best(*CANDIDATES, failed, members=6)


FAILED = {"lr": 9.0, "failed": "training diverged"}


@pytest.mark.parametrize("select", ["best", "cheapest_tied"])
@pytest.mark.parametrize("place", [0, 1, 5])
def test_a_run_that_failed_is_never_chosen(best, select, place):
    candidates = [*CANDIDATES]
    candidates.insert(place, FAILED)
    choice = best(*candidates, select=select)
    expected = best(*CANDIDATES, select=select)
    assert (choice["value"], choice["chosen_from"]) == (expected["value"], expected["chosen_from"])


def test_a_candidate_of_which_one_seed_failed_is_not_chosen(best):
    """The seeds that are left would flatter it."""
    survivor = {"lr": 1.0, "seed": 7, "final_val_auc": 0.99}
    choice = best(survivor, {"lr": 1.0, "seed": 8, "failed": "diverged"}, {"lr": 2.0, "final_val_auc": 0.9})
    assert (choice["run"], choice["chosen_from"]) == ("run2", 1)


def test_a_run_that_halving_stopped_is_never_chosen_but_was_one_to_choose_from(best):
    stopped = {"lr": 8.0, "final_val_auc": float("nan"), "stopped_after": 2.0}
    choice = best(stopped, *CANDIDATES, FAILED, members=2)
    assert [member["run"] for member in choice["members"]] == ["run1", "run2"]
    assert choice["chosen_from"] == 6


def test_nothing_to_choose_from_is_one_line(best):
    with pytest.raises(InputError, match="every configuration has a run that failed"):
        best({"lr": 1.0, "seed": 7}, {"lr": 1.0, "seed": 8, "failed": "diverged"})
