"""What the benchmarks share: which machine gave the numbers, and the table that they print."""

import os
import platform
import resource
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from histopatch.cores import available_cores

LIBRARIES = ("torch", "torchvision", "numpy", "pandas", "pillow", "onnxruntime", "openvino", "snakemake")


def describe_machine() -> str:
    """One line: the processor, how busy it is by now, and the versions of what does the work."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    versions = [f"{name} {_version(name)}" for name in LIBRARIES]
    python = f"Python {platform.python_version()}"
    return f"{cpu_name()}, {available_cores()} cores{load}; {', '.join([python, *versions])}"


def cpu_name() -> str:
    """The CPU model, if the OS reports it; read without importing torch."""
    lines = Path("/proc/cpuinfo")
    if lines.is_file():
        for line in lines.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(": ", 1)[1]
    return platform.processor() or platform.machine()


def cpu_seconds() -> float:
    """Processor time of this process and its children that have ended; busy neighbours change it less."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def peak_bytes() -> int:
    """Peak memory of the largest of this process and its children that have ended, as its workers have."""
    unit = 1 if sys.platform == "darwin" else 1024  # macOS reports bytes, Linux kB
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return unit * max(usage.ru_maxrss for usage in usages)


def table(rows: list[dict]) -> str:
    """Rows with the same keys as a Markdown table; numbers stand on the right."""
    head = list(rows[0])
    cells = [head, *([_text(row[key]) for key in head] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [any(isinstance(row[key], int | float) for row in rows) for key in head]
    lines = [_line(cell, widths, right) for cell in cells]
    rule = ["-" * (width - 1) + (":" if r else "-") for width, r in zip(widths, right, strict=True)]
    return "\n".join([lines[0], _line(rule, widths, right), *lines[1:]])


def _line(cells: list[str], widths: list[int], right: list[bool]) -> str:
    padded = (
        cell.rjust(width) if r else cell.ljust(width)
        for cell, width, r in zip(cells, widths, right, strict=True)
    )
    return f"| {' | '.join(padded)} |"


def _text(value) -> str:
    """Numbers with three digits or more, which is as far as a timing can be trusted."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    if isinstance(value, int):
        return f"{value:,}"
    return "" if value is None else str(value)


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"
