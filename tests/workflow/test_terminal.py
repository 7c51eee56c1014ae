"""What a person sees: a line for each job, a bar inside a training, and one line after Ctrl-C."""

import contextlib
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import sys
import termios
import time
from pathlib import Path

import psutil
import pytest
from edits import configure
from plan import RUN_COMMAND, experiment_of, folders, last_log, read_jobs, snakemake, start
from processes import wait_until
from test_commands import command

from histopatch.words import job_in_words
from terminal.display import INTERRUPTED

TARGET = "results/small/tables/named.csv"
EPOCHS = 25
# What Snakemake says before it reads the workflow, and what a terminal shows of the keys.
UNCOUNTED = ("Using workflow specific profile", "Assuming unrestricted shared filesystem usage", "^C")
NOISE = ("Traceback", "Error", "RuleException", "Missing output", "Select jobs", "rule ")
CTRL_C = b"\x03"


def said(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.strip() and not line.startswith(UNCOUNTED)]


class Terminal:
    """Snakemake in a terminal of its own."""

    def __init__(self, project: Path, *arguments: str):
        self.output = ""
        environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "SNAKEMAKE_PROFILE")}
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(project)
            # What runs in the background ignores it, and so would this.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", 24, 120, 0, 0))  # rows and columns
            os.execve(
                sys.executable, [sys.executable, "-m", "snakemake", *RUN_COMMAND, *arguments], environment
            )

    def wait_for(self, text: str, seconds: float = 180) -> None:
        self._read(seconds, lambda: text in self.output)
        assert text in self.output, self.output

    def wait(self, seconds: float = 180) -> int:
        """Wait for the end of the output; return the exit status."""
        self._read(seconds, lambda: False)
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def press(self, keys: bytes) -> None:
        os.write(self.descriptor, keys)

    def _read(self, seconds: float, enough) -> None:
        deadline = time.monotonic() + seconds
        while not enough():
            left = deadline - time.monotonic()
            assert left > 0, f"waited for too long; so far:\n{self.output}"
            if select.select([self.descriptor], [], [], left)[0]:
                with contextlib.suppress(OSError):  # the end, on Linux
                    if chunk := os.read(self.descriptor, 65536):
                        self.output += chunk.decode(errors="replace")
                        continue
                return

    def screen(self) -> list[str]:
        """The lines that are left on the screen: what follows a return overwrites what was there."""
        lines = [re.split(r"\r", line.rstrip("\r"))[-1] for line in self.output.split("\n")]
        return said("\n".join(re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line) for line in lines))


@pytest.fixture
def edited(project):
    """A project with one training to do, of many epochs."""
    configure(project, ("dropout: 0.3", f"dropout: 0.3, epochs: {EPOCHS}"))
    return project


def log_of(project: Path) -> Path:
    (folder,) = folders(project, "named/slow")
    return project / f"results/small/logs/train-{folder}-fold-0.log"


def test_piped_it_is_a_plain_line_for_each_job(project):
    configure(project, ("dropout: 0.3", "dropout: 0.4"))
    status, output = snakemake(project, *RUN_COMMAND)
    assert status == 0, output
    *lines, last = said(output)
    jobs = [job for job in read_jobs(last_log(project)) if job.rule != "all"]
    assert len(lines) == len(jobs)
    assert all(re.match(rf"\[ *{number} of \d+\] ", line) for number, line in enumerate(lines, 1))
    assert lines[0].endswith("] training `named: slow`")
    assert sum("comparing the runs" in line for line in lines) == 1
    assert re.fullmatch(
        r"Done in .*: 1 training and \d+ other steps\. Start with results/small/report\.html, then "
        r"results/small/tables/summary\.md and results/small/submission\.csv\.",
        last,
    )
    assert max(map(len, output.splitlines())) < 200
    assert "\r" not in output
    assert "\x1b" not in output
    assert not [noise for noise in NOISE if noise in output]
    # All detail is in the log of the job.
    assert "epoch 3 of 3: train loss" in log_of(project).read_text()

    status, output = snakemake(project, *RUN_COMMAND)
    assert status == 0
    (line,) = said(output)
    assert line.startswith("small: nothing to do, everything is up to date. Start with results/small/")


def test_a_failure_ends_with_the_job_the_cause_the_cure_and_the_log(project):
    (project / "results/small/tables/runs.csv").unlink()
    (folder,) = folders(project, "named/plain")
    predictions = project / f"results/small/runs/{folder}/fold-0/predictions.csv"
    predictions.write_text("id,label\n")
    os.utime(predictions, (1, 1))  # as if nothing had happened
    status, output = snakemake(project, *RUN_COMMAND, "results/small/tables/runs.csv")
    assert status == 1, output
    job, reason, cure, log = output.splitlines()[-4:]
    assert job == "Failed: comparing the runs"
    assert "the program does not expect" in reason
    assert "run the same command again" in cure
    assert log == "  Log: results/small/logs/compare.log"
    assert "Traceback" in (project / "results/small/logs/compare.log").read_text()
    assert not [noise for noise in ("Traceback", "RuleException", "CalledProcessError") if noise in output]


def test_what_snakemake_refuses_is_shown(project):
    status, output = snakemake(project, *RUN_COMMAND, "results/small/none.csv")
    assert status == 1
    assert "No rule to produce results/small/none.csv" in said(output)[-1]


def test_a_job_that_is_killed_is_named_with_what_may_have_happened(edited):
    process = start(edited, *RUN_COMMAND, TARGET)
    wait_until(lambda: log_of(edited).is_file() and "epoch 2 of" in log_of(edited).read_text(), process)
    below = psutil.Process(process.pid).children(recursive=True)
    (job,) = (child for child in below if child.cmdline()[-1].endswith(".train.py"))
    job.kill()
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    named, reason, _, log = output.splitlines()[-4:]
    assert named == "Failed: training `named: slow`"
    assert "ended from outside (SIGKILL); memory may have run out" in reason
    assert log == f"  Log: {log_of(edited).relative_to(edited)}"


def test_on_a_terminal_a_training_has_a_bar(edited):
    terminal = Terminal(edited, TARGET)
    assert terminal.wait() == 0, terminal.output
    assert re.search(rf"epoch \d+ of {EPOCHS}: +\d+%", terminal.output)
    *lines, last = terminal.screen()
    assert re.fullmatch(r"\[1 of \d+\] training `named: slow`", lines[0])
    assert last.startswith("Done in ")
    assert all(re.match(r"\[\d+ of \d+\] ", line) for line in lines)


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_is_one_line_and_the_training_goes_on(edited, times):
    terminal = Terminal(edited, TARGET)
    log = log_of(edited)
    terminal.wait_for(f"epoch 3 of {EPOCHS}")
    jobs = psutil.Process(terminal.pid).children(recursive=True)
    for _ in range(times):
        terminal.press(CTRL_C)
        time.sleep(0.05)
    assert terminal.wait() == 1
    lines = terminal.screen()
    assert lines[-1] == f"{INTERRUPTED}, and a training goes on after its last finished epoch."
    assert re.fullmatch(r"\[1 of \d+\] training `named: slow`", lines[0])
    assert len(lines) == 2
    assert not [noise for noise in NOISE if noise in terminal.output]
    assert not [job for job in jobs if job.is_running() and job.status() != psutil.STATUS_ZOMBIE]

    saved = len(re.findall("epoch .* of .*: train loss", log.read_text()))
    _, status = command(edited, "status")
    assert re.search(rf"training `named: slow`: goes on at epoch ({saved}|{saved + 1}) of {EPOCHS}\n", status)
    code, output = snakemake(edited, *RUN_COMMAND, TARGET)
    assert code == 0, output
    assert "going on after epoch" in log.read_text()


def test_snakemakes_own_account_is_there_for_who_asks(project):
    shutil.rmtree(project / "results/small/figures")
    drawn = "results/small/figures/cost.png"
    for asked in ("--dry-run", "--verbose", "--printshellcmds"):
        status, output = snakemake(project, *RUN_COMMAND, drawn, asked)
        assert status == 0, output
        assert re.search(r"^(local)?rule figure_cost:$", output, re.M), asked
        (project / drawn).unlink(missing_ok=True)
    status, output = snakemake(project, *RUN_COMMAND, drawn, "--touch")
    assert status == 0, output
    assert "drawing" not in output
    status, output = snakemake(project, "--summary")
    assert status == 0, output
    assert "figures/cost.png" in output
    status, output = snakemake(project, "--dag", "--", drawn)
    assert status == 0, output
    assert "digraph snakemake_dag" in output


def test_every_job_of_a_run_has_words_of_its_own(finished):
    """So that two lines of a run are told apart."""
    small = experiment_of(finished)
    logs = sorted((finished / ".snakemake/log").iterdir())
    jobs = [job for job in read_jobs(logs[0].read_text()) if job.rule != "all"]
    words = [job_in_words(job.rule, job.wildcards, small) for job in jobs]
    assert len(jobs) > 50
    assert len(set(words)) == len(words)
