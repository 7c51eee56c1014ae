"""Tables that may be larger than memory: matched, sorted and counted by DuckDB, which goes on on disk.

Rows come and go in blocks, tables of pandas with some rows each. What joins or groups large tables is one
statement and what sorts the outcome another: together they may need more than MEMORY.
"""

import contextlib
import itertools
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pandas as pd

from histopatch.cores import available_cores
from histopatch.errors import InputError
from histopatch.files import compact, scratch_beside

MEMORY = "300MB"  # that DuckDB takes before it goes on on disk
THREADS = 4  # at most: each takes some of it
ROWS = 2**16  # in a block


class Database:
    """Tables by name.

    folder: where those go that have no room in memory, from which DuckDB removes them at the end.
    """

    def __init__(self, folder: Path):
        import duckdb  # here, as most calls need none of it

        self._connection = duckdb.connect(
            config={
                "memory_limit": MEMORY,
                "threads": min(available_cores(), THREADS),
                "temp_directory": str(folder),
                "preserve_insertion_order": False,  # `place` keeps the order where one is asked for
            }
        )

    def load(self, name: str, blocks: Iterable[pd.DataFrame], types: Mapping[str, str] | None = None) -> None:
        """Make a table of blocks, of which there is one at least; its column `place` numbers the rows.

        types: those of SQL by column, where the first block may not tell them: whole numbers stay whole.
        """
        import pyarrow as pa

        if types:
            columns = ", ".join(f'"{column}" {type_}' for column, type_ in types.items())
            self._connection.execute(f"CREATE TABLE {name} ({columns}, place BIGINT)")
        count = 0
        for number, block in enumerate(blocks):
            block = block.assign(place=range(count, count + len(block)))
            rows = pa.Table.from_pandas(block, preserve_index=False)
            for place, field in enumerate(rows.schema):
                if pa.types.is_null(field.type):  # texts, of which the block has none
                    rows = rows.set_column(place, field.name, rows.column(place).cast(pa.string()))
            self._connection.register("block", rows)
            made = f"INSERT INTO {name} BY NAME" if number or types else f"CREATE TABLE {name} AS"
            self._connection.execute(f"{made} FROM block")
            self._connection.unregister("block")
            count += len(block)

    def run(self, statement: str, *values) -> None:
        """Run a statement of SQL, whose question marks stand for the values."""
        self._connection.execute(statement, values)

    def blocks(self, query: str, *values) -> Iterator[pd.DataFrame]:
        """Yield what a query finds in blocks, of which there is one at least."""
        with self._connection.cursor() as cursor:
            found = cursor.sql(query, params=values).to_arrow_reader(ROWS)
            first = next(found, found.schema.empty_table())
            for batch in itertools.chain([first], found):
                yield batch.to_pandas()

    def table(self, query: str, *values) -> pd.DataFrame:
        """All that a query finds."""
        return pd.concat(self.blocks(query, *values), ignore_index=True)

    def compact(self, query: str, *values) -> pd.DataFrame:
        """The same with texts as categories."""
        return compact(self.blocks(query, *values))

    def row(self, query: str, *values) -> tuple:
        """The only row that a query finds."""
        (row,) = self._connection.execute(query, values).fetchall()
        return row

    def close(self) -> None:
        self._connection.close()


@contextlib.contextmanager
def database(path: str | Path | None = None) -> Iterator[Database]:
    """Yield an empty database.

    path: the file that is made with it, beside which what has no room in memory goes; without one it goes to
    where temporary files are. Raises InputError where there is no room either.
    """
    import duckdb

    if path is None:
        # Made where it is needed only, so that a process that is killed leaves none as a rule.
        place = contextlib.nullcontext(Path(tempfile.gettempdir(), f"histopatch-{uuid.uuid4().hex}"))
    else:
        place = scratch_beside(path)
    with place as folder:
        try:
            with contextlib.closing(Database(folder)) as tables:
                yield tables
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            reason = str(error).partition("\n")[0]
            raise InputError(
                f"{folder.parent}: there is no room for tables that do not fit into memory ({reason}); make "
                "some" + (", or set TMPDIR to a folder that has it" if path is None else "")
            ) from None
