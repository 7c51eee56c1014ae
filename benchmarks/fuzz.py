"""Damaged files at every door: python benchmarks/fuzz.py --cases 300000 [--record]

Each door gets its share of the cases, in a process of its own. A case fails if the door does anything but
read the file or refuse it in one line, takes more than ten seconds, or takes the process over one gigabyte
above what it had before the first case; the file is kept then.
"""

import argparse
import csv
import multiprocessing
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/fuzz"))
sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from machine import peak_bytes

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "docs/fuzzed.csv"
SECONDS, BYTES = 10, 2**30
COLUMNS = ["door", "cases", "read", "refused", "slowest_ms", "peak_mb"]


def try_door(name: str, cases: int, seed: int, folder: Path, results) -> None:
    """Try damaged files at one door; put the row of the table, or the error, on the queue."""
    from damage import damaged
    from doors import DOORS, check
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    door, tally = DOORS[name], {"read": 0, "refused": 0, "slowest_ms": 0.0}
    files = door.valid()
    for content in files:
        assert check(door, folder, content), f"{name}: a valid file is refused"
    before = peak_bytes()

    @seeded(seed)
    @settings(
        max_examples=cases, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(damaged(files))
    def attempt(content: bytes) -> None:
        started = time.perf_counter()
        signal.alarm(SECONDS)
        read = check(door, folder, content)
        signal.alarm(0)
        tally["read" if read else "refused"] += 1
        tally["slowest_ms"] = max(tally["slowest_ms"], 1000 * (time.perf_counter() - started))
        assert peak_bytes() - before < BYTES, "more memory than one gigabyte"

    try:
        attempt()
    except Exception as error:
        results.put(f"{name}: {type(error).__name__}: {error}")
        raise
    peak = (peak_bytes() - before) / 1e6
    results.put({"door": name, "cases": tally["read"] + tally["refused"], **tally, "peak_mb": peak})


def main() -> None:
    from doors import DOORS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=4000, help="cases of all doors together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--doors", nargs="+", choices=[*DOORS], default=[*DOORS])
    parser.add_argument("--record", action="store_true", help=f"write the rows to {RECORD.relative_to(ROOT)}")
    arguments = parser.parse_args()
    rows, failed = [], False
    print("| " + " | ".join(COLUMNS) + " |\n| " + " | ".join("---" for _ in COLUMNS) + " |")
    for name in arguments.doors:
        folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        results = multiprocessing.Queue()
        share = -(-arguments.cases // len(arguments.doors))
        process = multiprocessing.Process(
            target=try_door, args=(name, share, arguments.seed, folder, results)
        )
        process.start()
        process.join()
        result = None if results.empty() else results.get()
        if isinstance(result, dict):
            shutil.rmtree(folder)
            rows.append(
                {
                    **result,
                    "slowest_ms": round(result["slowest_ms"], 1),
                    "peak_mb": round(result["peak_mb"], 1),
                }
            )
            print("| " + " | ".join(str(rows[-1][column]) for column in COLUMNS) + " |", flush=True)
        else:
            failed = True
            how = result or f"the process ended with {process.exitcode}"
            print(f"{name}: failed, see {folder / DOORS[name].file}: {how}", flush=True)
    if arguments.record:
        _record(rows, order=list(DOORS))
    sys.exit(failed)


def _record(rows: list[dict], order: list[str]) -> None:
    """Put the rows in the table of what was tried, in place of their doors' earlier ones."""
    with open(RECORD, newline="") as file:
        recorded = {row["door"]: row for row in csv.DictReader(file)}
    recorded |= {row["door"]: row for row in rows}
    with open(RECORD, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(recorded[door] for door in order if door in recorded)


if __name__ == "__main__":
    main()
