"""Explain in words what the next run would do and why."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from experiment import Request, parse

from histopatch.causes import FOLLOWS, PLAN, Planned, cause_of_step, cause_of_training
from histopatch.words import TRAININGS, count, job_in_words, joined, run_name


def planned_jobs(request: Request) -> list[Planned]:
    """The jobs of a dry run, in the order of their words."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1", "--nocolor"]
    command += ["--configfile", *map(str, request.arguments.configfile)]
    command += ["--config", f"experiment={request.name}"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plan.json")
        dry = subprocess.run(command, text=True, capture_output=True, env=os.environ | {PLAN: str(path)})
        if dry.returncode:
            output = (dry.stdout + dry.stderr).strip()
            refusals = [line for line in output.splitlines() if line.startswith("Error: ")]
            sys.exit(refusals[-1] if refusals else output)
        jobs = [job for job in Planned.read(path) if job.rule != "all"] if path.is_file() else []
    return sorted(jobs, key=lambda job: job_in_words(job.rule, job.wildcards, request.experiment))


def describe(request: Request, jobs: list[Planned]) -> list[str]:
    """The plan in words, one line per item."""
    if not jobs:
        return [f"{request.name}: nothing to do, everything is up to date."]
    trainings: dict[str, list[Planned]] = {}
    for job in jobs:
        if job.rule in TRAININGS:
            trainings.setdefault(job.wildcards["run"], []).append(job)
    lines = [f"{request.name}: the next run would train {count(len(trainings), 'run')}."]
    for folder, folds in trainings.items():
        lines += _training(folder, folds, jobs, request)
    others = [job for job in jobs if job.rule not in TRAININGS]
    if others:
        lines.append(f"Other steps: {count(len(others), 'job')}.")
    lines += _others(others, request)
    if any(job.rule == "best" for job in jobs):
        lines.append(_final(request))
    return lines


def _training(folder: str, jobs: list[Planned], plan: list[Planned], request: Request) -> list[str]:
    """A line for a run, or for each of its folds where their causes differ; then the name of its folder."""
    experiment = request.experiment
    first = _each_fold(jobs)
    causes = [cause_of_training(job, plan, experiment) for job in first]
    if len(set(causes)) > 1:
        words = [job_in_words(job.rule, job.wildcards, experiment) for job in first]
        lines = [f"  {what}: {why}" for what, why in zip(words, causes, strict=True)]
    else:
        times = f" ({len(causes)} folds)" if len(causes) > 1 else ""
        lines = [f"  training {run_name(folder, experiment)}{times}: {causes[0]}"]
    return [*lines, f"    {folder}"]


def _others(jobs: list[Planned], request: Request) -> list[str]:
    """A line for each cause, with its first steps; the last one for the steps that follow from others."""
    by_cause: dict[str, list[str]] = {}
    for job in jobs:
        words = job_in_words(job.rule, job.wildcards, request.experiment)
        by_cause.setdefault(cause_of_step(job, request.experiment), []).append(words)
    causes = sorted(by_cause, key=lambda why: why == FOLLOWS)
    return [f"  {joined(by_cause[why])}: {why}" for why in causes]


def _final(request: Request) -> str:
    """What is known only later."""
    members = request.experiment.final.ensemble
    if members == 1:
        also, known = "a final training of the winner, unless it exists already, with its", "the winner is"
    else:
        also = f"final trainings of the {members} best runs, unless they exist already, with their"
        known = "these are"
    return f"Also {also} predictions and submission; {known} known only after the runs are compared."


def _each_fold(jobs: list[Planned]) -> list[Planned]:
    """Of the jobs of a run, the first of each fold: where its training would start."""
    return [*{job.wildcards["fold"]: job for job in reversed(jobs)}.values()][::-1]


if __name__ == "__main__":
    request = parse(__doc__)
    print("\n".join(describe(request, planned_jobs(request))))
