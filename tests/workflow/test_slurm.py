"""A whole experiment on a real Slurm of one node, which loses two trainings half-way.

`bash tests/workflow/slurm.sh` starts that cluster, as root on a machine that you can throw away.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pandas as pd
import psutil
import pytest
import yaml
from conftest import HERE, PROJECT, ROOT, write_data
from plan import folders, start
from processes import wait_until

CLUSTER = "histopatch-tests"
EPOCHS = 12
GPU_RULES = {"train", "predict_test", "predict_held_out", "explain"}
# The cluster answers at once: the plugin need not wait for it, nor remove what tells its jobs apart.
QUICK = ("--slurm-init-seconds-before-status-checks", "5", "--slurm-keep-successful-logs")


def answers() -> bool:
    """Whether the cluster of the tests is there, and no other."""
    if shutil.which("scontrol") is None:
        return False
    shown = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True).stdout
    return re.search(rf"^ClusterName\s+= {CLUSTER}$", shown, re.MULTILINE) is not None


@pytest.fixture
def project(tmp_path) -> Path:
    """A project without any results, for an experiment of two runs and a final training."""
    if not answers():
        reason = "no cluster of the tests answers: `bash tests/workflow/slurm.sh` starts one"
        (pytest.fail if os.environ.get("SLURM_TESTS") == "required" else pytest.skip)(reason)
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, tmp_path / name)
    config = yaml.safe_load((HERE / "config.yaml").read_text())
    small = config["experiments"]["small"]
    del config["experiments"]["other"], small["splits"]["crossed"]
    small["defaults"]["epochs"] = EPOCHS
    small["studies"] = {"rate": {"runs": {"slow": {"lr": 1.0e-5}, "fast": {"lr": 1.0e-3}}}}
    small["final"] = {"study": "rate", "overrides": {"epochs": 3}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    write_data(tmp_path / "data/small")
    return tmp_path


def test_an_experiment_that_loses_two_trainings_comes_to_its_end(project):
    logs = {}
    for run in ("slow", "fast"):
        (folder,) = folders(project, f"rate/{run}")
        logs[run] = project / f"results/small/logs/train-{folder}-fold-0.log"
    workflow = start(project, "--profile", "profiles/slurm", *QUICK)
    try:
        interrupted = []
        for interrupt in (cancel, lose_the_node):
            run = next_training(logs, interrupted, workflow)
            interrupt(project, logs[run].stem.removeprefix("train-"))
            interrupted.append(run)
        output, _ = workflow.communicate(timeout=1200)
    finally:
        workflow.send_signal(signal.SIGINT)  # it cancels the jobs, as SIGTERM does not
        workflow.communicate()
        end_processes(project)
    assert workflow.returncode == 0, output

    for run, log in logs.items():
        assert "going on after epoch" in log.read_text(), run
    for history in (project / "results/small/runs").glob("*/fold-0/history.csv"):
        assert [*pd.read_csv(history).epoch] in ([*range(1, EPOCHS + 1)], [1, 2, 3])
    assert (project / "results/small/report.html").is_file()

    jobs = recorded_jobs(project)
    assert jobs.state.value_counts().to_dict() == {"COMPLETED": len(jobs) - 2, "CANCELLED": 1, "NODE_FAIL": 1}
    assert (jobs[jobs.state != "COMPLETED"].rule == "train").all()
    assert {*jobs[jobs.gpus > 0].rule} == GPU_RULES
    assert {*jobs.gpus} == {0, 1}
    on_gpu = jobs[jobs.gpus > 0].sort_values("start")
    assert (on_gpu.start.iloc[1:].to_numpy() >= on_gpu.end.iloc[:-1].to_numpy()).all()
    # What takes seconds is no job of Slurm.
    assert not {*jobs.rule} & {"study", "summary", "report", "figure_roc"}


def end_processes(project: Path) -> None:
    """End what a lost node leaves behind: this one finds processes by their parents, as no real one does."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if any(str(project) in argument for argument in process.cmdline()):
                process.kill()


def next_training(logs: dict[str, Path], interrupted: list[str], workflow: subprocess.Popen) -> str:
    """Wait for one of the other runs to be in the middle of its training."""

    def trained() -> list[str]:
        others = {run: log for run, log in logs.items() if run not in interrupted and log.is_file()}
        # The second epoch begins to be trained after the state of the first is kept.
        return [run for run, log in others.items() if f"epoch 2 of {EPOCHS}" in log.read_text()]

    wait_until(trained, workflow, seconds=600)
    return trained()[0]


def cancel(project: Path, training: str) -> None:
    ask("scancel", job_ids(project, training)[-1])


def lose_the_node(project: Path, training: str) -> None:
    update = ("scontrol", "update", "nodename=localhost")
    ask(*update, "state=down", "reason=test")
    ask(*update, "state=resume")


def job_ids(project: Path, training: str) -> list[str]:
    """Of the jobs that a training was submitted as, the latest last."""
    found = (project / ".snakemake/slurm_logs/rule_train").rglob("*.log")
    run, fold = training.rsplit("-fold-", 1)
    return sorted((log.stem for log in found if {run, fold} <= {*log.parts[-2].split("_")}), key=int)


def recorded_jobs(project: Path) -> pd.DataFrame:
    """Slurm's own record of the jobs of a project: `rule,state,gpus,start,end`."""
    rules = {log.stem: log.parts[-3] for log in (project / ".snakemake/slurm_logs").rglob("*.log")}
    jobs = []
    for line in ask("scontrol", "show", "jobs", "--oneliner").splitlines():
        record = dict(pair.split("=", 1) for pair in line.split() if "=" in pair)
        if rule := rules.get(record["JobId"]):
            jobs.append(
                {
                    "rule": rule.removeprefix("rule_"),
                    "state": record["JobState"],
                    "gpus": int(re.search(r"gpu:(\d+)", record.get("TresPerJob", "gpu:0"))[1]),
                    "start": record["StartTime"],
                    "end": record["EndTime"],
                }
            )
    return pd.DataFrame(jobs)


def ask(*command: str) -> str:
    """What a command of Slurm answers; it fails if the command does."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
