"""A study of which only the better runs are trained to their end."""

import pandas as pd
from edits import configure
from plan import AGGREGATION, folders, plan, run

GRID = "grid: {lr: [1.0e-4, 1.0e-12]}"
RATES = ["0.0001", "1e-12", "1e-11", "0.001"]
HALVED = "grid: {lr: [1.0e-4, 1.0e-12, 1.0e-11, 1.0e-3]}\n        halving: {first: 1}"


def test_a_study_is_halved(project):
    results = project / "results/small"
    trained = {path.parents[1].name for path in results.glob("runs/*/fold-0/model.safetensors")}
    configure(project, (GRID, HALVED))
    first = plan(project)
    assert first.count("rung") == 4
    assert not first.trainings

    jobs = run(project)
    rungs = [pd.read_csv(results / f"tables/rungs/rate-{epochs}.csv") for epochs in (1, 2)]
    assert [*map(len, rungs)] == [4, 2]
    assert [rung.goes_on.sum() for rung in rungs] == [2, 1]
    assert {*rungs[0].folder} == folders(project, *(f"rate/lr={rate}" for rate in RATES))
    assert {*rungs[1].folder} == {*rungs[0].folder[rungs[0].goes_on]}
    assert jobs.count("rung") == 6
    (winner,) = rungs[1].run[rungs[1].goes_on]
    assert jobs.trainings == folders(project, f"rate/{winner}", f"final of rate/{winner}") - trained

    table = pd.read_csv(results / "tables/rate.csv").set_index("run")
    assert table.final_val_auc.notna().sum() == 1
    assert [*table.index[table.stopped_after.isna()]] == [winner]
    assert sorted(table.stopped_after.dropna()) == [1, 1, 2]
    for folder in rungs[0].folder[~rungs[0].goes_on]:
        assert (results / f"runs/{folder}/fold-0/rung-1.json").is_file()
    assert "Stopped by halving after 1 epoch of 3" in (results / "tables/summary.md").read_text()
    assert plan(project).rules == set()

    # What is kept is made again, and what the halving did not train is trained without it.
    stopped = rungs[0].folder[~rungs[0].goes_on].iloc[-1]
    (results / f"runs/{stopped}/fold-0/rung-1.json").unlink()
    assert {"rung", "promote"} | AGGREGATION == plan(project).known
    configure(project, ("        halving: {first: 1}\n", ""))
    without = plan(project)
    assert without.known == AGGREGATION | {"train"}
    there = {path.parents[1].name for path in results.glob("runs/*/fold-0/model.safetensors")}
    assert without.trainings == {*rungs[0].folder} - there
