"""What a person sees while Snakemake runs: a line for each job, and at the end what failed or where to look.

Snakemake's own account of the run, with every path and reason, is in its log file as ever.
"""

import logging
import sys
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from snakemake_interface_logger_plugins.common import LogEvent

from histopatch.words import TRAININGS, count, duration
from terminal.failure import cause, exit_status
from terminal.subject import Subject

TARGET = "all"  # the rule that only asks for files
# What Snakemake says after a job has failed, besides which job it was.
AFTER_A_FAILURE = ("Exiting because a job execution failed", "At least one job did not complete successfully")
INTERRUPTED = "Interrupted. To go on, run the same command again: what is finished stays"


@dataclass(frozen=True)
class Job:
    """A job as the display knows it."""

    rule: str
    wildcards: Mapping[str, str]


@dataclass
class Started:
    """A job that has been started."""

    job: Job
    words: str
    logs: list[str]
    time: float


class Display(logging.Handler):
    """Shows the records of Snakemake's logger; what is not about running jobs is left to Snakemake's handler.

    own: Snakemake's handler; subject: what is run; unfinished: the jobs that are still to be done, running
    ones included; runs_jobs: whether this call runs jobs at all, known from the first record after that of
    the workflow's start.
    """

    def __init__(
        self,
        own: logging.StreamHandler,
        subject: Subject,
        unfinished: Callable[[], Collection[Job]],
        runs_jobs: Callable[[], bool],
    ):
        super().__init__()
        self.own, self.subject = own, subject
        self.unfinished, self.runs_jobs = unfinished, runs_jobs
        self.workflow_started = False
        self.active: bool | None = None  # whether the records are shown here; None as long as it is unknown
        self.interrupted = False
        self.troubled = False  # by what is no failure of a job
        self.began = time.time()
        self.started: dict[int, Started] = {}
        self.ended: set[int] = set()
        self.failed: list[tuple[Started, str]] = []  # with the cause
        self.exit_status = ""

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        if event == LogEvent.WORKFLOW_STARTED:
            self.workflow_started = True
            return  # with what it will do still unknown
        if self.workflow_started and self.active is None:
            self.active = self.runs_jobs()
        if not self.active:
            self.own.handle(record)
        elif self.interrupted:
            return
        elif event == LogEvent.JOB_INFO:
            self._start(record)
        elif event == LogEvent.JOB_FINISHED:
            self.ended.add(record.job_id)
        elif event == LogEvent.JOB_ERROR:
            self._fail(record.jobid, record.rule_name, record.log, record.rule_msg or "")
        elif event == LogEvent.GROUP_ERROR:
            for job in record.job_error_info:
                self._fail(job["jobid"], job["rule_name"], [*job["log"], *record.aux_logs])
        elif event in (None, LogEvent.ERROR) and record.levelno >= logging.WARNING:
            self._show(record)

    def close(self) -> None:
        """Say how the run ended; Snakemake calls this after all else."""
        if self.active and not self.interrupted:
            if self.failed:
                self._say_what_failed()
            elif not self.troubled:
                self.say(self._success())
        self.active = False
        super().close()

    def interrupt(self) -> None:
        """Say that the run was interrupted, the last line of this run."""
        if self.active:
            self.say(f"{INTERRUPTED}{self.subject.goes_on}.")
        self.interrupted = True

    def say(self, text: str) -> None:
        # On a terminal in place of a job's progress bar, which is drawn anew below.
        clear = "\r\x1b[K" if sys.stderr.isatty() else ""
        sys.stderr.write(f"{clear}{text}\n")
        sys.stderr.flush()

    def _start(self, record: logging.LogRecord) -> None:
        if record.rule_name == TARGET:
            return
        job = Job(record.rule_name, dict(record.wildcards))
        words = self.subject.words(job.rule, job.wildcards)
        # A job that is tried again has neither failed nor ended.
        before = self.started.get(record.jobid)
        self.failed = [failure for failure in self.failed if failure[0] is not before]
        self.ended.discard(record.jobid)
        self.started[record.jobid] = Started(job, words, list(record.log), time.time())
        jobs = [job for job in self.unfinished() if job.rule != TARGET]
        number, total = len(self.started), max(len(self.started), len(self.ended) + len(jobs))
        line = f"[{number:{len(str(total))}} of {total}] {words}"
        if job.rule in TRAININGS:
            line += self._trainings([job for job in jobs if job.rule in TRAININGS])
        self.say(line)

    def _trainings(self, left: list[Job]) -> str:
        """How many trainings there are, and how long they take if the others are like those so far."""
        trainings = {key: job for key, job in self.started.items() if job.job.rule in TRAININGS}
        done = [job for key, job in trainings.items() if key in self.ended]
        total = max(len(trainings), len(done) + len(left))
        if total == 1:
            return ""
        text = f"; {len(trainings)} of {total} trainings"
        if done:
            elapsed = time.time() - min(job.time for job in trainings.values())
            rate = elapsed / sum(self.subject.epochs(job.job.wildcards) for job in done)
            remaining = sum(self.subject.epochs(job.wildcards) for job in left)
            text += f", about {duration(rate * remaining)} left"
        return text

    def _fail(self, jobid: int, rule: str, logs: list[str], message: str = "") -> None:
        """Note a failure; message: what a cluster says of it."""
        started = self.started.get(jobid) or Started(Job(rule, {}), rule.replace("_", " "), logs, self.began)
        self.ended.add(jobid)
        reason = cause(started.logs, started.time) or self.exit_status or message.partition("\n")[0]
        self.failed.append((started, reason or "it ended and left no reason in its log"))
        self.exit_status = ""
        if running := len(self.started.keys() - self.ended):
            self.say(f"Failed: {started.words}; waiting for {count(running, 'job')}, still running")

    def _show(self, record: logging.LogRecord) -> None:
        """Show a warning or an error that is not about a job, and remember what is about the next failure."""
        text = record.getMessage()
        if status := exit_status(text):
            self.exit_status = status
        elif not any(text_after in text for text_after in AFTER_A_FAILURE):
            self.troubled |= record.levelno >= logging.ERROR
            self.say(text)

    def _say_what_failed(self) -> None:
        self.say("")
        for started, reason in self.failed:
            self.say(f"Failed: {started.words}")
            self.say(f"  {reason}")
            self.say("  Fix that and run the same command again: what is finished stays.")
            self.say(f"  Log: {', '.join(started.logs)}")

    def _success(self) -> str:
        if not self.started:
            return f"{self.subject.name}: nothing to do, everything is up to date.{self._where_to_look()}"
        trainings = sum(job.job.rule in TRAININGS for job in self.started.values())
        others = count(len(self.started) - trainings, "other step" if trainings else "step")
        steps = f"{count(trainings, 'training')} and {others}" if trainings else others
        return f"Done in {duration(time.time() - self.began)}: {steps}.{self._where_to_look()}"

    def _where_to_look(self) -> str:
        paths = self.subject.start_with()
        first, *others = [str(path) for path in paths if path.exists()] or [""]
        if not first:
            return ""
        return f" Start with {first}" + (f", then {' and '.join(others)}." if others else ".")
