import logging
import re

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from terminal.display import INTERRUPTED, Display, Job
from terminal.subject import ExperimentRun


class Snakemake(logging.StreamHandler):
    """Snakemake's own handler."""

    def __init__(self):
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class Run:
    """A call of the workflow, as its log tells of it."""

    def __init__(self, mine, record, tmp_path, *jobs: Job, runs_jobs: bool = True):
        self.jobs, self.tmp_path, self.record, self.done = jobs, tmp_path, record, set()
        self.own = Snakemake()
        self.display = Display(
            self.own, ExperimentRun({"mine": mine}, "mine"), self.unfinished, lambda: runs_jobs
        )
        self.tell(LogEvent.WORKFLOW_STARTED)
        self.tell(None, "Building DAG of jobs...")

    def unfinished(self) -> list[Job]:
        return [job for number, job in enumerate(self.jobs) if number not in self.done]

    def tell(self, *arguments, **fields) -> None:
        self.display.handle(self.record(*arguments, **fields))

    def log(self, number: int):
        return self.tmp_path / f"{number}.log"

    def start(self, number: int) -> None:
        job = self.jobs[number]
        fields = {"rule_name": job.rule, "wildcards": job.wildcards, "log": [str(self.log(number))]}
        self.done.discard(number)
        self.tell(LogEvent.JOB_INFO, jobid=number, **fields)

    def finish(self, number: int) -> None:
        self.tell(LogEvent.JOB_FINISHED, job_id=number)
        self.done.add(number)

    def fail(self, number: int, status: str = "returned non-zero exit status 1.") -> None:
        self.tell(
            LogEvent.ERROR,
            f"RuleException:\nCalledProcessError in file x:\nCommand 'y' {status}",
            logging.ERROR,
        )
        self.fail_on_cluster(number, None)

    def fail_on_cluster(self, number: int, message: str | None) -> None:
        fields = {"rule_name": "train", "log": [], "rule_msg": message}
        self.tell(LogEvent.JOB_ERROR, "", logging.ERROR, jobid=number, **fields)
        self.done.add(number)

    def end(self) -> None:
        if self.done and len(self.done) < len(self.jobs):
            self.tell(None, "Exiting because a job execution failed. Look below", logging.ERROR)
            self.tell(
                LogEvent.ERROR,
                "WorkflowError:\nAt least one job did not complete successfully.",
                logging.ERROR,
            )
        self.display.close()


@pytest.fixture
def call(mine, record, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *jobs, **options: Run(mine, record, tmp_path, *jobs, **options)


@pytest.fixture
def jobs(mine) -> list[Job]:
    """Two trainings, the step before them, and the rule that only asks for files."""
    study = mine.studies["architecture"]
    trainings = [{"experiment": "mine", "run": study[run].folder, "fold": "0"} for run in ("plain", "slow")]
    return [
        Job("split", {"experiment": "mine", "split": "main"}),
        *(Job("train", wildcards) for wildcards in trainings),
        Job("all", {}),
    ]


def test_each_job_is_one_line_in_words(call, jobs, capsys):
    run = call(*jobs)
    for number in range(4):
        run.tell(None, "Select jobs to execute...")
        run.start(number)
        run.finish(number)
    *first, last = capsys.readouterr().err.splitlines()
    assert first == [
        "[1 of 3] making the split `main`",
        "[2 of 3] training `architecture: plain`; 1 of 2 trainings",
    ]
    assert re.fullmatch(r"\[3 of 3\] training `architecture: slow`; 2 of 2 trainings, about \d+ s left", last)


def test_the_time_left_is_that_of_the_epochs_left(call, jobs, mine, capsys, monkeypatch):
    now = 0.0
    monkeypatch.setattr("time.time", lambda: now)
    (winner, *_) = mine.studies["rate"].values()
    final = Job("train", {"experiment": "mine", "run": mine.final_runs[winner.folder].folder, "fold": "0"})
    run = call(*jobs[1:3], final)
    run.start(0)
    now = 600.0
    run.finish(0)
    run.start(1)  # 2 epochs in 10 minutes; 2 and 4 epochs are left
    assert "2 of 3 trainings, about 30 min left" in capsys.readouterr().err


def test_a_lonely_training_is_not_counted(call, jobs, capsys):
    run = call(jobs[1])
    run.start(0)
    assert "trainings" not in capsys.readouterr().err


def test_the_end_says_where_to_look(call, jobs, capsys, tmp_path):
    summary = tmp_path / "results/mine/tables/summary.md"
    summary.parent.mkdir(parents=True)
    summary.touch()
    run = call(*jobs)
    for number in range(4):
        run.start(number)
        run.finish(number)
    run.end()
    last = capsys.readouterr().err.splitlines()[-1]
    told = r"Done in \d+ s: 2 trainings and 1 other step\. Start with results/mine/tables/summary\.md\."
    assert re.fullmatch(told, last)


def test_nothing_to_do_is_said(call, capsys):
    call().end()
    assert capsys.readouterr().err == "mine: nothing to do, everything is up to date.\n"


def test_a_failure_is_the_last_lines(call, jobs, capsys):
    run = call(*jobs)
    run.start(0)
    run.finish(0)
    run.start(1)
    run.log(1).write_text("10:00:00 INFO loading\n10:00:01 ERROR labels.csv: no such file; name another\n")
    run.fail(1)
    run.end()
    lines = capsys.readouterr().err.splitlines()
    assert lines[-4] == "Failed: training `architecture: plain`"
    assert lines[-3] == "  labels.csv: no such file; name another"
    assert "run the same command again" in lines[-2]
    assert lines[-1] == f"  Log: {run.log(1)}"
    assert "Error" not in "".join(lines)


def test_a_failure_beside_running_jobs_is_told_at_once_and_at_the_end(call, jobs, capsys):
    run = call(*jobs)
    run.start(1)
    run.start(2)
    run.fail(1)
    assert "waiting for 1 job, still running" in capsys.readouterr().err
    run.finish(2)
    run.end()
    assert capsys.readouterr().err.splitlines()[-1] == f"  Log: {run.log(1)}"


def test_a_job_that_succeeds_when_tried_again_has_not_failed(call, jobs, capsys):
    run = call(*jobs)
    run.start(1)
    run.fail(1)
    run.start(1)
    first, again = (line.split("]")[0] for line in capsys.readouterr().err.splitlines())
    assert first == again  # counted once
    run.finish(1)
    run.end()
    text = capsys.readouterr().err
    assert "Failed" not in text
    assert text.startswith("Done in ")


def test_a_job_that_was_killed_says_so(call, jobs, capsys):
    run = call(*jobs)
    run.start(1)
    run.fail(1, "died with <Signals.SIGKILL: 9>.")
    run.end()
    assert "ended from outside (SIGKILL); memory may have run out" in capsys.readouterr().err


def test_a_job_that_a_cluster_refuses_says_why(call, jobs, capsys):
    run = call(*jobs)
    run.start(0)
    run.fail_on_cluster(0, "SLURM sbatch failed. The error message was 'no such node'.\n    sbatch call:\n")
    run.end()
    assert "  SLURM sbatch failed. The error message was 'no such node'.\n  Fix" in capsys.readouterr().err


def test_what_is_not_about_a_job_is_shown(call, capsys):
    run = call()
    run.tell(LogEvent.ERROR, "MissingInputException: data.csv", logging.ERROR)
    run.tell(None, "careful", logging.WARNING)
    run.end()
    assert capsys.readouterr().err.splitlines() == ["MissingInputException: data.csv", "careful"]


def test_after_an_interruption_nothing_more_is_said(call, jobs, capsys):
    run = call(*jobs)
    run.start(1)
    capsys.readouterr()
    run.display.interrupt()
    run.fail(1)
    run.end()
    assert capsys.readouterr().err == (
        f"{INTERRUPTED}, and a training goes on after its last finished epoch.\n"
    )


def test_what_runs_no_jobs_is_left_to_snakemake(call, jobs, capsys):
    """Such as `--touch`, and a call that stops before the workflow starts."""
    run = call(*jobs, runs_jobs=False)
    run.start(0)
    run.end()
    assert capsys.readouterr().err == ""
    assert run.own.records[-1].event == LogEvent.JOB_INFO
