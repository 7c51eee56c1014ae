"""docs/inputs.md, written from the markers `input` of the tests: python tests/inputs.py"""

import ast
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/inputs.md"
FUZZED = ROOT / "docs/fuzzed.csv"  # written by benchmarks/fuzz.py
# The sections of the page, in its order.
DOORS = {
    "Images": "Image files, by their content and name.",
    "HDF5": "PatchCamelyon's files (`format: pcam`).",
    "Label file": "`train_labels.csv` of `format: kaggle`; what is said of its text holds for every table.",
    "Table": "The CSV, TSV or Parquet file of `format: table`.",
    "Folders": "A folder for each class (`format: folders`), and the folders of `format: kaggle`.",
    "Slide map": "`dataset.slides`, or the columns of a table that say the slide and the patient.",
    "Groups": "`dataset.groups`, the site, scanner or stain of each patch or slide.",
    "Split of others": "What `make audit` reads: `SPLIT`, `DATA`, `SLIDES` and `LABELS`.",
    "Sample submission": "`sample_submission.csv`, and the test images that it names.",
    "Configuration": "`config.yaml` and files given with `--configfile`. What is no YAML at all, plain "
    "`snakemake` refuses in words of its own, without the file and the line; `make` names both.",
    "Weights": "The setting `weights` of a run.",
    "Slides": "Images larger than a patch, whole-slide images among them.",
    "Exported model": "What `histopatch.inference` reads: the folder `final/model`, and new patches.",
    "Prediction": "What `make predict` reads: `MODEL`, `INPUT`, `OUT`, `POINT` and `ABSTAIN`.",
    "Training": "What can go wrong while a network trains.",
    "Machine": "Operating systems, file systems, processors and GPUs.",
}
INTRODUCTION = """\
# What happens to what you bring

Every kind of input that the project knows, and what happens to it. Each row is a test that shows it; this
page is written from those tests by `python tests/inputs.py`. *Refused* is one line that names the file, row
or key and says what to do, before any training unless the row says otherwise. *Set aside* is an image that
the pack leaves out and lists, with the reason, in `pack/<part>.rejected.csv`; *rejected* is a label row
that cleaning leaves out and lists in `labels/rejected.csv`.
"""
FUZZING = """\
## Fuzzed

Valid files of each kind, damaged at random: bytes set, cut, inserted and repeated. Each case must end with
the content or with one line, within 10 seconds and 1 GB. `python benchmarks/fuzz.py` tries as many cases as
one asks for, and the tests try some of each; what was found is a row above.

| door | cases tried | read | refused in one line | slowest case (ms) | peak memory (MB) |
| --- | --: | --: | --: | --: | --: |
"""


class Row(NamedTuple):
    """One kind of input."""

    door: str
    kind: str
    outcome: str


def rows(folder: Path = ROOT / "tests") -> Iterator[Row]:
    """The rows of all tests, in the order of files and lines.

    Raises ValueError for a marker that is not three plain texts, or that names no door of the page.
    """
    for path in sorted(folder.rglob("test_*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if _marks_an_input(node)]
        for call in sorted(calls, key=lambda call: call.lineno):
            try:
                row = Row(*(ast.literal_eval(argument) for argument in call.args))
            except (ValueError, TypeError):
                raise ValueError(f"{path}:{call.lineno}: give the marker three plain texts") from None
            if row.door not in DOORS:
                raise ValueError(f"{path}:{call.lineno}: {row.door!r} is none of {', '.join(DOORS)}")
            yield row


def page(fuzzed: Path = FUZZED) -> str:
    """The text of docs/inputs.md."""
    found = list(dict.fromkeys(rows()))
    sections = [INTRODUCTION]
    for door, meaning in DOORS.items():
        lines = [f"| {_cell(row.kind)} | {_cell(row.outcome)} |" for row in found if row.door == door]
        heading = [f"## {door}", "", meaning, "", "| input | what happens |", "| --- | --- |"]
        sections.append("\n".join([*heading, *lines]))
    sections.append(_fuzzing(fuzzed))
    return "\n\n".join(section.strip() for section in sections) + "\n"


def _marks_an_input(node: ast.AST) -> bool:
    """Whether a node is the call `pytest.mark.input(...)`."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.input"


def _cell(text: str) -> str:
    return (text[:1].upper() + text[1:]).replace("|", "\\|")


def _fuzzing(path: Path) -> str:
    with open(path, newline="") as file:
        tried = list(csv.DictReader(file))
    total = {key: sum(int(row[key]) for row in tried) for key in ("cases", "read", "refused")}
    lines = [
        f"| {row['door']} | {int(row['cases']):,} | {int(row['read']):,} | {int(row['refused']):,} "
        f"| {float(row['slowest_ms']):,.0f} | {float(row['peak_mb']):,.0f} |"
        for row in tried
    ]
    lines.append(f"| all | {total['cases']:,} | {total['read']:,} | {total['refused']:,} | | |")
    return FUZZING + "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"wrote {PAGE.relative_to(ROOT)}")
