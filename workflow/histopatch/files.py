"""Files that are whole or not there: each is written under another name and then moved into place."""

import contextlib
import itertools
import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from histopatch.errors import InputError
from histopatch.spreadsheets import harmless, restored

# Where pyarrow is installed, pandas would keep texts in its arrays and look up names ten times as slowly.
pd.set_option("mode.string_storage", "python")

STARTED = time.time()


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, moved onto it when the block ends without an error.

    The content is on the disk before, so that a power cut leaves the file as it was or as it is to be. What a
    process that was killed left half written of the same file is removed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if error.filename in (None, str(temporary)):  # a write to a full disk does not say where
            error.filename, error.strerror = str(path), os.strerror(error.errno)
        raise
    finally:
        temporary.unlink(missing_ok=True)


LEFTOVER = re.compile(r"\.\d+\..+")  # the name of what `replacing` leaves where it is killed


def _remove_leftovers(path: Path) -> None:
    """A file has one writer at a time, so what was last written before this process started has none."""
    temporary = re.compile(rf"\.\d+\.{re.escape(path.name)}")
    for other in path.parent.iterdir():
        if temporary.fullmatch(other.name):
            with contextlib.suppress(FileNotFoundError):
                if other.lstat().st_mtime < STARTED:
                    other.unlink()


@contextlib.contextmanager
def scratch_beside(path: str | Path) -> Iterator[Path]:
    """An empty folder beside `path` for who writes it; one that a kill left is removed by the next writer."""
    folder = Path(path).with_name(f".{Path(path).name}.scratch")
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


# Columns of names, which stay texts: an image may be called `007` or `NA`.
NAMES = dict.fromkeys(
    [
        "id", "id_a", "id_b", "image", "file", "slide", "patient", "group", "split", "study", "run", "folder",
        "value", "software",
    ],
    str,
)  # fmt: skip


def read_table(path: str | Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The whole of a table, as `read_blocks` yields it."""
    return pd.concat(read_blocks(path, columns), ignore_index=True)


ROWS_AT_A_TIME = 2**16


def read_blocks(path: str | Path, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
    """Read a table that `write_table` wrote, some rows at a time, in one block at least.

    Names are texts, and in CSV only an empty field is missing. columns: those to read, as a table of millions
    of rows takes gigabytes; None reads all. Raises InputError for a damaged Parquet file.
    """
    blocks = _parquet_blocks if Path(path).suffix == ".parquet" else _csv_blocks
    for block in blocks(path, columns):
        yield block if columns is None else block[[*columns]]


def beside(blocks: Iterable[pd.DataFrame], columns: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the blocks with the columns of a table beside them, row by row.

    Raises ValueError if the table has more or fewer rows than all blocks together.
    """
    start = 0
    for rows in blocks:
        own = columns[start : start + len(rows)]
        start += len(rows)
        if len(own) == len(rows):
            yield pd.concat([rows, own.set_axis(rows.index)], axis=1)
    if start != len(columns):
        raise ValueError(f"{len(columns)} rows do not go beside {start}")


def compact(blocks: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """The rows of blocks in one table, its texts as categories, which take a few bytes where they repeat."""
    blocks = [rows.astype(dict.fromkeys(rows.select_dtypes(exclude="number"), "category")) for rows in blocks]
    return pd.DataFrame({name: _joined([rows[name] for rows in blocks]) for name in blocks[0]})


def _joined(parts: list[pd.Series]) -> pd.Series | pd.Categorical:
    if parts[0].dtype == "category":
        return pd.api.types.union_categoricals(parts, sort_categories=True)
    return pd.concat(parts, ignore_index=True)


def _csv_blocks(path: str | Path, columns: Sequence[str] | None) -> Iterator[pd.DataFrame]:
    with pd.read_csv(
        path, usecols=columns, dtype=NAMES, keep_default_na=False, na_values=[""], chunksize=ROWS_AT_A_TIME
    ) as blocks:
        yield from map(restored, blocks)


def _parquet_blocks(path: str | Path, columns: Sequence[str] | None) -> Iterator[pd.DataFrame]:
    import pyarrow.parquet  # most tables are CSV

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            batches = file.iter_batches(ROWS_AT_A_TIME, columns=columns)
            first = next(batches, file.schema_arrow.empty_table())
            for batch in itertools.chain([first], batches):
                yield batch.to_pandas()
    except pyarrow.ArrowException:
        raise InputError(f"{path}: the file is damaged; remove it and run the same command again") from None


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table without its row numbers.

    A name that ends in .parquet makes Parquet, for tables that only programs read; any other makes CSV, in
    which a spreadsheet finds nothing to run.
    """
    write_blocks([table], path)


def write_blocks(blocks: Iterable[pd.DataFrame], path: str | Path) -> None:
    """Write the rows of blocks that have the same columns, one at least, as `write_table` does."""
    with replacing(path) as temporary:
        if temporary.suffix == ".parquet":
            _write_parquet(blocks, temporary)
        else:
            with open(temporary, "w", encoding="utf-8", newline="") as file:
                for number, block in enumerate(blocks):
                    harmless(block).to_csv(file, header=number == 0, index=False)


def _write_parquet(blocks: Iterable[pd.DataFrame], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    blocks = iter(blocks)
    first = next(blocks)
    schema = pa.Schema.from_pandas(first, preserve_index=False)
    for place, field in enumerate(schema):
        if pa.types.is_null(field.type):  # texts, of which the first block has none
            schema = schema.set(place, field.with_type(pa.string()))
    with pa.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for block in itertools.chain([first], blocks):
            writer.write_table(pa.Table.from_pandas(block, schema, preserve_index=False))


def write_json(value, path: str | Path) -> None:
    """Write a value as indented JSON."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n")
