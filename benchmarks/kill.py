"""Whether a pipeline that is killed again and again ends with the files of one that nobody disturbed.

    python benchmarks/kill.py [--kills 50] [--each 10] [--seed 0]

Runs benchmarks/kill.yaml once undisturbed. Then, in fresh folders, it starts the same command, kills it at a
random moment and starts it again, until it comes to its end. The signal is SIGKILL; in turn it hits
Snakemake, one process below it (a job, its shell, or a worker), or all of them. All files under results/ are
compared, timings and what shows them aside.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import pandas as pd
import psutil
import torch
from machine import describe_machine, table

ROOT = Path(__file__).parents[1]
PROJECT = ("Snakefile", "workflow", "profiles")
COMMAND = (sys.executable, "-m", "snakemake", "--cores", "2", "--resources", "gpu=2")
VICTIMS = ("Snakemake", "a process below it", "all of them")
# What differs between two undisturbed runs, too: timings, and what knows a file by its time of writing.
TIMINGS = {
    "seconds", "train_seconds", "evaluate_seconds", "images_per_second", "memory_bytes", "peak_memory_bytes",
    "made_from", "fingerprint",
}  # fmt: skip
IN_WORDS = re.compile(r"(?:(?<= in )|(?<=took ))[\d.,]+ (s|min|h)\b|(?<=digest of code and data: )\w+")
WITH_TIMINGS = {"cost.png", "report.html"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--each", type=int, default=10, help="kills of one run of the pipeline, on average")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    arguments = parser.parse_args()
    print(describe_machine(), flush=True)
    moments, kills = random.Random(arguments.seed), []
    with tempfile.TemporaryDirectory() as folder:
        undisturbed = make_project(Path(folder, "undisturbed"))
        started = time.monotonic()
        run(undisturbed)
        seconds = time.monotonic() - started
        expected = contents(undisturbed)
        while len(kills) < arguments.kills:
            project = make_project(Path(folder, f"killed-{len(kills)}"))
            # Memory layouts are chosen by their speed, and each has its own rounding.
            shutil.copytree(undisturbed / "results/formats", project / "results/formats")
            told = []
            while len(kills) + len(told) < arguments.kills:
                victim = VICTIMS[(len(kills) + len(told)) % len(VICTIMS)]
                moment = moments.uniform(0, 2 * seconds / arguments.each)
                if not (killed := kill(project, victim, moment, moments)):
                    break  # it had ended before
                told.append({"killed": victim, "process": killed})
                print(f"{victim} after {moment:.0f} s: {killed}", file=sys.stderr, flush=True)
            run(project)
            differing = differences(expected, contents(project))
            kills += [row | {"files that differ": len(differing)} for row in told]
            print(f"{len(kills)} kills: {differing or 'no differences'}", file=sys.stderr, flush=True)
            shutil.rmtree(project)
    print(table(summarise(kills)))
    print(f"\n{len(expected)} files; an undisturbed run took {seconds:.0f} s")
    if any(row["files that differ"] for row in kills):
        sys.exit(1)


def make_project(project: Path) -> Path:
    project.mkdir()
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, project / name)
    shutil.copy2(ROOT / "benchmarks/kill.yaml", project / "config.yaml")
    return project


def run(project: Path) -> None:
    """Run the pipeline to its end; stop where it fails."""
    done = subprocess.run(COMMAND, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\n{project}: the pipeline failed")


def kill(project: Path, victim: str, moment: float, draws: random.Random) -> str:
    """Start the pipeline, kill it or its job after so many seconds of work, and wait for its end.

    Returns what was killed; nothing where the pipeline ended before.
    """
    with tempfile.TemporaryFile("w+") as output:
        workflow = psutil.Popen(COMMAND, cwd=project, stdout=output, stderr=subprocess.STDOUT)
        moment += time.monotonic()
        while workflow.poll() is None:
            below = jobs_of(workflow)
            if below and time.monotonic() >= moment:
                break
            time.sleep(0.05)
        else:
            if workflow.returncode:
                output.seek(0)
                sys.exit(f"{output.read()}\n{project}: the pipeline failed")
            return ""
        hit = {VICTIMS[0]: [workflow], VICTIMS[1]: [draws.choice(below)], VICTIMS[2]: [workflow, *below]}
        names = " and ".join(map(name_of, hit[victim]))
        for process in hit[victim]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        workflow.wait()
    return names


def jobs_of(workflow: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return workflow.children(recursive=True)
    return []


def name_of(process: psutil.Process) -> str:
    """The script that a job runs, or else the last word of the command."""
    with contextlib.suppress(psutil.NoSuchProcess):
        command = process.cmdline()
        return re.sub(r"^tmp\w+\.", "", os.path.basename(command[-1])) if command else process.name()
    return "a process that had ended"


def contents(project: Path) -> dict[str, object]:
    """By path below results/, what a file holds besides timings. Logs aside."""
    return {
        str(path.relative_to(project / "results")): without_timings(path)
        for path in sorted((project / "results").rglob("*"))
        if path.is_file() and "logs" not in path.parts and path.name not in WITH_TIMINGS
    }


def without_timings(path: Path):
    if path.suffix == ".json":
        return without_keys(json.loads(path.read_text()))
    if path.suffix == ".pt":
        return without_keys(torch.load(path, weights_only=True))
    if path.suffix == ".csv" and path.stat().st_size:
        read = pd.read_csv(path, dtype=str, keep_default_na=False)
        return IN_WORDS.sub("…", read.drop(columns=[*TIMINGS & {*read.columns}]).to_csv())
    if path.suffix == ".md":
        return IN_WORDS.sub("…", path.read_text())
    return hashlib.sha256(path.read_bytes()).digest()


def without_keys(value):
    if isinstance(value, dict):
        return {key: without_keys(item) for key, item in value.items() if key not in TIMINGS}
    if isinstance(value, torch.Tensor):
        return hashlib.sha256(value.numpy().tobytes()).digest()
    return [without_keys(item) for item in value] if isinstance(value, list | tuple) else value


def differences(expected: dict[str, object], found: dict[str, object]) -> list[str]:
    return sorted(path for path in expected.keys() | found.keys() if expected.get(path) != found.get(path))


def summarise(rows: list[dict]) -> list[dict]:
    """Per victim, how many kills there were and how many ended with the files of the undisturbed run."""
    by_victim = []
    for victim in VICTIMS:
        mine = [row for row in rows if row["killed"] == victim]
        same = sum(not row["files that differ"] for row in mine)
        by_victim.append({"killed": victim, "kills": len(mine), "with the files of an undisturbed run": same})
    return by_victim


if __name__ == "__main__":
    main()
