"""Explain in words what the next run would do and why."""

import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass

from experiment import Request, parse

from histopatch.experiment import Experiment

# The reasons that Snakemake gives, and the same in plain words; the rest of its line names files.
REASONS = {
    "Missing output files": "not made yet",
    "Params have changed since last execution": "its settings or code have changed",
    "Code has changed since last execution": "its code has changed",
    "Set of input files has changed since last execution": "its set of inputs has changed",
    "Updated input files": "an input has changed",
    "Input files updated by another job": "an input will be remade",
    "Forced execution": "forced",
}

TRAININGS = ("train", "rung")


@dataclass
class Job:
    rule: str
    run: str  # the folder of the run, empty if the job does not belong to one
    reason: str


def planned_jobs(request: Request) -> list[Job]:
    """The jobs of a dry run, in the order in which Snakemake lists them."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1", "--nocolor"]
    command += ["--configfile", *map(str, request.arguments.configfile)]
    command += ["--config", f"experiment={request.name}"]
    dry = subprocess.run(command, text=True, capture_output=True)
    if dry.returncode:
        output = (dry.stdout + dry.stderr).strip()
        refusals = [line for line in output.splitlines() if line.startswith("Error: ")]
        sys.exit(refusals[-1] if refusals else output)
    # Each job is a paragraph: a line with the name of the rule, then indented lines of details.
    found = re.findall(
        r"^(?:local)?(?:rule|checkpoint) (\w+):\n((?:    .*\n)+)", dry.stdout + dry.stderr, re.M
    )
    return [_job(rule, details) for rule, details in found if rule != "all"]


def _job(rule: str, details: str) -> Job:
    run = re.search(r"^    wildcards: .*\brun=([^,\n]+)", details, re.M)
    reason = re.search(r"^    reason: (.*)", details, re.M)
    text = reason.group(1) if reason else ""
    words = next((words for start, words in REASONS.items() if start in text), text)
    return Job(rule, run.group(1) if run else "", words)


def describe(request: Request, jobs: list[Job]) -> list[str]:
    """The plan in words, one line per item."""
    if not jobs:
        return [f"{request.name}: nothing to do, everything is up to date."]
    names = _names(request.experiment)
    trainings: dict[str, list[Job]] = {}
    for job in jobs:
        if job.rule in TRAININGS:
            trainings.setdefault(job.run, []).append(job)
    lines = [f"{request.name}: the next run would train {_count(len(trainings), 'run')}."]
    for run, folds in trainings.items():
        times = f" ({len(folds)} folds)" if len(folds) > 1 else ""
        lines.append(f"  {names.get(run, 'final model')}{times}: {folds[0].reason}\n    {run}")
    others = [job for job in jobs if job.rule not in TRAININGS]
    if others:
        lines.append(f"Other steps: {_count(len(others), 'job')}.")
    for reason in dict.fromkeys(job.reason for job in others):
        rules = Counter(job.rule for job in others if job.reason == reason)
        steps = ", ".join(rule if n == 1 else f"{rule} ({n})" for rule, n in rules.items())
        lines.append(f"  {reason}: {steps}")
    if any(job.rule == "best" for job in jobs):
        members = request.experiment.final.ensemble
        if members == 1:
            also, known = (
                "a final training of the winner, unless it exists already, with its",
                "the winner is",
            )
        else:
            also = f"final trainings of the {members} best runs, unless they exist already, with their"
            known = "these are"
        lines.append(
            f"Also {also} predictions and submission; {known} known only after the runs are compared."
        )
    return lines


def _names(experiment: Experiment) -> dict[str, str]:
    """The names of each run, by its folder: `study: name` for each study that it belongs to."""
    names: dict[str, list[str]] = {}
    for study, runs in experiment.studies.items():
        for name, run in runs.items():
            names.setdefault(run.folder, []).append(f"{study}: {name}")
    return {folder: "; ".join(known) for folder, known in names.items()}


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


if __name__ == "__main__":
    request = parse(__doc__)
    print("\n".join(describe(request, planned_jobs(request))))
