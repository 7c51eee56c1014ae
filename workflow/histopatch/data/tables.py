"""Tables that people bring, as CSV, TSV or Parquet: read right, or refused in one line."""

import codecs
import contextlib
import csv
import difflib
import itertools
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from histopatch.data.names import quote, tidy, tidy_name
from histopatch.errors import InputError

LARGEST = 2**33  # bytes; ten million rows of Kaggle's label file have a sixteenth of it
BLOCK = 2**22  # characters of a table that are taken apart at a time
ROWS = 2**16  # likewise of a Parquet file
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
LONGEST_MARK = max(map(len, OTHER_KINDS))
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
    if _is_parquet(path):
        with _parquet(path) as file:
            return tidy(file.schema_arrow.names)
    return _names(path, next(_texts(path)), columns)[0]


def read_columns(path: str, columns: dict[str, Column]) -> pd.DataFrame:
    """The wanted columns of a whole table, as `read_blocks` yields them."""
    return pd.concat(read_blocks(path, columns), ignore_index=True)


def read_blocks(path: str, columns: dict[str, Column]) -> Iterator[pd.DataFrame]:
    """Yield the wanted columns of a table as tidy texts, called by their keys here, some rows at a time.

    CSV and TSV are UTF-8, or UTF-16 with its mark, and separated by commas, semicolons or tabs. An optional
    column that the table lacks is missing from the blocks, of which there is one at least. `row` is the line
    in the file, or in a Parquet file the number of the row. A row without any value is left out. Raises
    InputError if the file cannot be read as a table or lacks a required column.
    """
    _check_file(path)
    row = 1
    if _is_parquet(path):
        for found in _parquet_blocks(path, columns):
            yield _with_rows(found, row)
            row += len(next(iter(found.values())))
        return
    names = None
    for text in _texts(path):
        if names is None:
            names, separator, text = _names(path, text, columns)
            places, row = _places(path, names, columns), 2  # line 1 is the header
        lines = text.split("\n") if text else []
        fields = _regular(lines, separator, len(names)) or _quoted(path, lines, separator, len(names), row)
        yield _with_rows({name: tidy(fields(place)) for name, place in places.items()}, row)
        row += len(lines)


def _check_file(path: str) -> None:
    try:
        status = Path(path).stat()
    except OSError as error:
        raise InputError(f"{path}: the table cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path}: this is no file, but a folder, pipe or device; name the file of the table")
    if status.st_size > LARGEST:
        raise InputError(
            f"{path}: {status.st_size / 1e9:.1f} GB are too much for a table; the limit is "
            f"{LARGEST / 1e9:.1f} GB"
        )
    if status.st_size == 0:
        raise InputError(f"{path}: the file is empty; it needs a line with the names of its columns")


def _is_parquet(path: str) -> bool:
    return path.endswith((".parquet", ".pq"))


def _texts(path: str) -> Iterator[str]:
    """Yield the lines of a file, some at a time, separated by `\\n`; one text at least."""
    with open(path, "rb") as file:
        start = file.read(LONGEST_MARK)
    for mark, kind in OTHER_KINDS.items():
        if start.startswith(mark):
            raise InputError(f"{path}: no table, but {kind}")
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if start.startswith(mark)), "utf-8")
    line, first = 1, True
    # Universal newlines: whatever ends a line is `\n` here.
    with open(path, encoding=encoding) as file:
        while True:
            try:
                text = file.read(BLOCK)
                text += (rest := file.readline(BLOCK))
            except UnicodeDecodeError:
                raise _not_text(path, encoding) from None
            if not text and not first:
                return
            if len(rest) == BLOCK and not rest.endswith("\n"):
                line += text.count("\n")
                raise InputError(f"{path}: line {line} has more than {BLOCK:,} characters; this is no table")
            if "\0" in text:
                line += text[: text.index("\0")].count("\n")
                raise InputError(
                    f"{path}: there is a NUL character in line {line}; save the file as UTF-8 text"
                )
            line, first = line + text.count("\n"), False
            yield text.removesuffix("\n")


def _not_text(path: str, encoding: str) -> InputError:
    """What to say of a file that is not of an encoding: where it is not."""
    content = Path(path).read_bytes()
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        found = f"line {line} is not {encoding.upper()} (byte 0x{content[error.start]:02x})"
        return InputError(f"{path}: {found}; save the file as UTF-8")
    return InputError(f"{path}: it changed while it was read; run the same command again")


def _names(path: str, text: str, columns: dict[str, Column]) -> tuple[list[str], str, str]:
    """The names of the columns, what separates them, and the lines after the one with the names."""
    header, _, rest = text.partition("\n")
    separator = _separator(path, header, columns)
    (names,) = _rows(path, [header], separator, first=1)
    return tidy(names), separator, rest


Fields = Callable[[int], list[str]]  # the fields of a column by its place, one for each line


def _regular(lines: list[str], separator: str, width: int) -> Fields | None:
    """The fields of lines without quotes that all have the same number of them; None of any others.

    Most large files are so, and this takes a third of the time of a reader that knows quotes.
    """
    if {line.count(separator) for line in lines} != {width - 1}:
        return None
    text = separator.join(lines)
    if '"' in text:
        return None
    fields = text.split(separator)
    return lambda place: fields[place::width]


def _quoted(path: str, lines: list[str], separator: str, width: int, first: int) -> Fields:
    """The fields of any lines. Raises InputError where a line is no row. first: the number of the first."""
    rows = _rows(path, lines, separator, first)
    for line, row in enumerate(rows, first):
        if any(field.strip() for field in row[width:]):
            raise InputError(
                f"{path}: line {line} has {len(row)} fields, but there are {width} columns: "
                f"{quote(separator.join(row))}"
            )
        row.extend([""] * (width - len(row)))
    return lambda place: [row[place] for row in rows]


def _rows(path: str, lines: list[str], separator: str, first: int) -> list[list[str]]:
    reader = csv.reader(
        (line + "\n" for line in lines), delimiter=separator, skipinitialspace=True, strict=True
    )
    rows: list[list[str]] = []
    try:
        rows.extend(reader)
    except csv.Error:
        raise InputError(f"{path}: line {len(rows) + first} is no row of a table; check its quotes") from None
    if reader.line_num != len(rows):
        line = next(line for line, row in enumerate(rows, first) if any("\n" in field for field in row))
        raise InputError(f"{path}: a field goes on after the end of line {line}; is a quote left open there?")
    return rows


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
            shown = ", ".join(map(quote, names[:10])) + (", …" if len(names) > 10 else "") or "no names"
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


def _parquet_blocks(path: str, columns: dict[str, Column]) -> Iterator[dict[str, list[str]]]:
    with _parquet(path) as file:
        places = _places(path, file.schema_arrow.names, columns)
        wanted = [file.schema_arrow.names[place] for place in places.values()]
        batches = file.iter_batches(ROWS, columns=wanted)
        for batch in itertools.chain(batches, [file.schema_arrow.empty_table().select(wanted)]):
            values = (batch.column(name).to_pylist() for name in wanted)
            yield {name: tidy(map(_text, column)) for name, column in zip(places, values, strict=True)}


def _text(value) -> str:
    if value is None or value != value:  # NaN is not equal to itself
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _with_rows(columns: dict[str, list[str]], first: int) -> pd.DataFrame:
    """The rows that say something, and where each is; first: where the first is."""
    table = pd.DataFrame(columns, dtype=str)
    said = [any(row) for row in zip(*columns.values(), strict=True)]
    table.insert(0, "row", range(first, len(table) + first))
    return table.loc[said].reset_index(drop=True)
