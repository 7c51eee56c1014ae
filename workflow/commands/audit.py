"""Audit a split that was made elsewhere: say and draw what leaks between its parts. Nothing is trained.

Exit status: 0 where nothing was found, 1 where something leaks, 2 where the input is wrong.
"""

import argparse
import logging
import sys
from pathlib import Path

from histopatch.cores import available_cores
from histopatch.errors import one_line
from histopatch.given_splits.audit import audit_split, draw
from histopatch.given_splits.describe import describe, leaks
from histopatch.given_splits.read import read_split
from histopatch.system import check_system


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", required=True, help="the table, or a folder with a folder for each part")
    parser.add_argument("--data", help="the folder with the images that a table divides")
    parser.add_argument("--slides", help="table id,slide and perhaps patient")
    parser.add_argument("--labels", help="table id,label")
    parser.add_argument("--out", type=Path, help="folder of the findings; results/audits/NAME by default")
    return parser.parse_args()


def audit(arguments: argparse.Namespace) -> int:
    """Audit what the command line names and print the findings; the exit status."""
    name = Path(arguments.split).absolute().stem
    folder = arguments.out or Path("results/audits", name)
    split = read_split(arguments.split, arguments.data, arguments.slides, arguments.labels)
    audited = audit_split(split, folder, available_cores())
    draw(folder, name)
    text = describe(audited)
    (folder / "audit.txt").write_text(f"{text}\n")
    print(text)
    print(f"Every pair: {folder}/audit.csv; the figure: {folder}/audit.png")
    return int(leaks(audited))


if __name__ == "__main__":
    arguments = parse()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        check_system()
        sys.exit(audit(arguments))
    except Exception as error:
        if line := one_line(error):
            print(f"Error: {line}", file=sys.stderr)
            sys.exit(2)
        raise
