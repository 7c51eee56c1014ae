"""How long the first run takes, and what each kind of job costs before its work begins.

    python benchmarks/first_run.py [--project CHECKOUT] [--cores N] [--imports-only]

Copies a checkout to a temporary folder and runs its demo there from nothing, as `make run` does after the
installation. For another commit give its checkout, for example one of `git worktree add`. To imitate an older
CPU on a newer one: ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2.
"""

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from machine import describe_machine, table

ROOT = Path(__file__).parents[1]
PROJECT = ("Snakefile", "config.yaml", "workflow", "profiles")
ROUNDS = 3
SCRIPTS = ("train", "predict_test", "pack", "clean", "split", "compare", "study", "final_metrics", "summary")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=ROOT)
    parser.add_argument("--cores", default="all")
    parser.add_argument("--imports-only", action="store_true", help="leave out the run itself")
    arguments = parser.parse_args()
    print(describe_machine())
    print(table([import_cost(arguments.project, script) for script in SCRIPTS]))
    if not arguments.imports_only:
        with tempfile.TemporaryDirectory() as folder:
            for row in first_run(arguments.project, Path(folder), arguments.cores):
                print(table(row))


def import_cost(project: Path, script: str) -> dict:
    """Seconds that a script's imports take in a process of their own: the fastest of several."""
    workflow = project / "workflow"
    tree = ast.parse((workflow / f"scripts/{script}.py").read_text())
    imports = [ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    command = [sys.executable, "-c", "\n".join(imports)]
    environment = os.environ | {"PYTHONPATH": str(workflow)}
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run(command, env=environment, check=True)
        seconds.append(time.perf_counter() - started)
    return {"script": script, "imports, s": round(min(seconds), 2)}


def first_run(project: Path, folder: Path, cores: str) -> list[list[dict]]:
    """Run the demo from nothing; rows of the whole run, and of the rules that took longest."""
    for name in PROJECT:
        copy = shutil.copytree if (project / name).is_dir() else shutil.copy2
        copy(project / name, folder / name)
    command = [sys.executable, "-m", "snakemake", "--cores", cores, "--resources", "gpu=1"]
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    whole = time.perf_counter() - started
    jobs = finished_jobs(folder)
    by_rule = defaultdict(list)
    for rule, seconds in jobs:
        by_rule[rule].append(seconds)
    longest = sorted(by_rule.items(), key=lambda item: -sum(item[1]))[:8]
    return [
        [
            {
                "cores": cores,
                "jobs": len(jobs),
                "trainings": len(by_rule["train"]),
                "whole run, s": round(whole),
            }
        ],
        [
            {"rule": rule, "jobs": len(seconds), "seconds": round(sum(seconds), 1)}
            for rule, seconds in longest
        ],
    ]


def finished_jobs(folder: Path) -> list[tuple[str, float]]:
    """Rule and seconds of each job, from what Snakemake keeps of every output file.

    Each file has times of its own, and all that a job writes share its log.
    """
    jobs = defaultdict(list)
    for record in (folder / ".snakemake/metadata").rglob("*"):
        if record.is_file():
            known = json.loads(record.read_text())
            jobs[known["rule"], *known["log"]].append((known["starttime"], known["endtime"]))
    return [
        (rule, max(end for _, end in times) - min(start for start, _ in times))
        for (rule, *_), times in jobs.items()
    ]


if __name__ == "__main__":
    main()
