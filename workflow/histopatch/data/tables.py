"""Tables that people bring, as CSV, TSV or Parquet: read right, or refused in one line."""

import codecs
import contextlib
import csv
import difflib
import io
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from histopatch.data.names import quote, tidy, tidy_name
from histopatch.errors import InputError

LARGEST = 2**30  # bytes; ten million rows of Kaggle's label file have half of it
BLOCK = 2**20  # characters of a table that are taken apart at a time
SEPARATORS = (",", ";", "\t")
# What files are that are called like a table by mistake.
OTHER_KINDS = {
    b"\x1f\x8b": "compressed with gzip; unpack it",
    b"PK\x03\x04": "a zip archive or a spreadsheet (.xlsx); save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "a spreadsheet (.xls); save the sheet as CSV",
    b"PAR1": "a Parquet file; let its name end in .parquet",
    b"version https://git-lfs": "a pointer of Git LFS, not the file; fetch it with `git lfs pull`",
    b"<": "HTML or XML, such as the page of an error; download the file again",
}
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Column:
    """A column that is wanted of a table."""

    key: str  # the key of the configuration that names it, such as `dataset.columns.id`
    names: Sequence[str]  # what it may be called; the first that the table has is read
    required: bool = True


def column_names(path: str, columns: dict[str, Column]) -> list[str]:
    """The names of all columns of a table. columns: some that it should have, which tell its separator."""
    _check_file(path)
    if path.endswith((".parquet", ".pq")):
        with _parquet(path) as file:
            return tidy(file.schema_arrow.names)
    header, _, _ = _decode(path, Path(path).read_bytes()).partition("\n")
    names, _ = _quoted(path, header, _separator(path, header, columns))
    return names


def read_columns(path: str, columns: dict[str, Column]) -> pd.DataFrame:
    """The wanted columns of a table as tidy texts, called by their keys here.

    CSV and TSV are UTF-8, or UTF-16 with its mark, and separated by commas, semicolons or tabs. An optional
    column that the table lacks is missing from the result. `row` is the line in the file, or in a Parquet
    file the number of the row. A row without any value is left out. Raises InputError if the file cannot be
    read as a table or lacks a required column.
    """
    _check_file(path)
    if path.endswith((".parquet", ".pq")):
        return _read_parquet(path, columns)
    text = _decode(path, Path(path).read_bytes())
    separator = _separator(path, text.partition("\n")[0], columns)
    names, fields = _regular(text, separator) or _quoted(path, text, separator)
    found = {name: tidy(fields(place)) for name, place in _places(path, names, columns).items()}
    return _with_rows(found, first=2)  # line 1 is the header


def _check_file(path: str) -> None:
    try:
        status = Path(path).stat()
    except OSError as error:
        raise InputError(f"{path}: the table cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path}: this is no file, but a folder, pipe or device; name the file of the table")
    if status.st_size > LARGEST:
        raise InputError(
            f"{path}: {status.st_size / 1e9:.1f} GB are too much for a table; the limit is 1.1 GB"
        )
    if status.st_size == 0:
        raise InputError(f"{path}: the file is empty; it needs a line with the names of its columns")


def _decode(path: str, content: bytes) -> str:
    """The text of a file, its lines ended by `\\n`."""
    for start, kind in OTHER_KINDS.items():
        if content.startswith(start):
            raise InputError(f"{path}: no table, but {kind}")
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path}: line {line} is not {encoding.upper()} (byte 0x{content[error.start]:02x}); "
            "save the file as UTF-8"
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InputError(f"{path}: there is a NUL character in line {line}; save the file as UTF-8 text")
    return text


Fields = Callable[[int], list[str]]  # the fields of a column by its place, one for each line after the first


def _regular(text: str, separator: str) -> tuple[list[str], Fields] | None:
    """The names and fields of a table without quotes whose lines all have the same length; None of any other.

    Most large files are so, and this takes a third of the time of a reader that knows quotes.
    """
    if '"' in text:
        return None
    width = text.partition("\n")[0].count(separator) + 1
    columns: list[list[str]] = [[] for _ in range(width)]
    for lines in _blocks(text.removesuffix("\n")):
        if {line.count(separator) for line in lines} != {width - 1}:
            return None
        fields = separator.join(lines).split(separator)
        for place, column in enumerate(columns):
            column.extend(fields[place::width])
    return tidy(column[0] for column in columns), lambda place: columns[place][1:]


def _blocks(text: str) -> Iterator[list[str]]:
    """The lines of a text, some at a time: all of a large one at once would take several times its memory."""
    start = 0
    while start <= len(text):
        end = text.find("\n", start + BLOCK)
        end = len(text) if end < 0 else end
        yield text[start:end].split("\n")
        start = end + 1


def _quoted(path: str, text: str, separator: str) -> tuple[list[str], Fields]:
    """The names and fields of any table. Raises InputError where a line is none of it."""
    reader = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True, strict=True)
    rows: list[list[str]] = []
    try:
        rows.extend(reader)
    except csv.Error:
        raise InputError(f"{path}: line {len(rows) + 1} is no row of a table; check its quotes") from None
    if reader.line_num != len(rows):
        line = next(line for line, row in enumerate(rows, 1) if any("\n" in field for field in row))
        raise InputError(f"{path}: a field goes on after the end of line {line}; is a quote left open there?")
    names = tidy(rows.pop(0))
    for line, row in enumerate(rows, 2):
        if any(field.strip() for field in row[len(names) :]):
            raise InputError(
                f"{path}: line {line} has {len(row)} fields, but there are {len(names)} columns: "
                f"{quote(separator.join(row))}"
            )
        row.extend([""] * (len(names) - len(row)))
    return names, lambda place: [row[place] for row in rows]


def _separator(path: str, header: str, columns: dict[str, Column]) -> str:
    """The separator that finds the most of the wanted columns, or else the most columns."""
    wanted = {name.casefold() for column in columns.values() for name in column.names}

    def finds(separator: str) -> tuple[int, int]:
        names = {tidy_name(name).strip('"').casefold() for name in header.split(separator)}
        return len(names & wanted), header.count(separator)

    usual = sorted(SEPARATORS, key=lambda separator: separator != ("\t" if path.endswith(".tsv") else ","))
    return max(usual, key=finds)


def _places(path: str, names: list[str], columns: dict[str, Column]) -> dict[str, int]:
    """The place of each wanted column that the table has."""
    places = {}
    for name, column in columns.items():
        called = _called(names, column.names)
        if called is not None:
            if names.count(called) > 1:
                raise InputError(f"{path}: there are {names.count(called)} columns {quote(called)}; keep one")
            places[name] = names.index(called)
        elif column.required:
            close = difflib.get_close_matches(column.names[0], names, n=1)
            shown = ", ".join(map(quote, names[:10])) + (", …" if len(names) > 10 else "")
            raise InputError(
                f"{path}: there is no column {quote(column.names[0])}, the first line has {shown}; "
                + (f"did you mean {quote(close[0])}? " if close else "")
                + f"name the column in {column.key}"
                + (", or put a line with names above the rows" if _is_data(names) else "")
            )
    return places


def _called(names: list[str], wanted: Sequence[str]) -> str | None:
    """The first wanted name that there is; where none is, the only one that differs in case."""
    exact = next((name for name in wanted if name in names), None)
    if exact is not None:
        return exact
    alike = {name for name in names if name.casefold() in {other.casefold() for other in wanted}}
    return alike.pop() if len(alike) == 1 else None


def _is_data(names: list[str]) -> bool:
    """Whether a first line looks like a row: it has a number, or the name of a file."""
    return any(name.replace(".", "", 1).isdigit() or "/" in name or "." in name for name in names)


@contextlib.contextmanager
def _parquet(path: str):
    """Yield an open Parquet file; whatever goes wrong in reading it is an InputError."""
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            yield file
    except InputError:
        raise
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: this is no Parquet file that can be read: {quote(reason)}") from None


def _read_parquet(path: str, columns: dict[str, Column]) -> pd.DataFrame:
    with _parquet(path) as file:
        places = _places(path, file.schema_arrow.names, columns)
        wanted = [file.schema_arrow.names[place] for place in places.values()]
        table = file.read(columns=wanted)
        found = {name: _texts(table.column(i)) for i, name in enumerate(places)}
    return _with_rows(found, first=1)


def _texts(column) -> list[str]:
    """The values of a column of Arrow as tidy texts: whole numbers without a point, nothing for null."""
    return tidy([_text(value) for value in column.to_pylist()])


def _text(value) -> str:
    if value is None or value != value:  # NaN is not equal to itself
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _with_rows(columns: dict[str, list[str]], first: int) -> pd.DataFrame:
    """The rows of a table that say something, and where each is."""
    table = pd.DataFrame(columns, dtype=str)
    said = [any(row) for row in zip(*columns.values(), strict=True)]
    table.insert(0, "row", range(first, len(table) + first))
    return table.loc[said].reset_index(drop=True)
