import datetime
import os

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from histopatch.data import tables
from histopatch.data.tables import Column, read_columns
from histopatch.errors import InputError

WANTED = {
    "id": Column("dataset.columns.id", ["id"]),
    "label": Column("dataset.columns.label", ["label"]),
    "slide": Column("dataset.columns.slide", ["slide", "wsi"], required=False),
}
ROWS = [(2, "a", "0"), (3, "b", "1")]


@pytest.fixture
def read(tmp_path):
    """Read a table with some content; the rows as tuples of `row` and the columns found."""

    def run(content: bytes | str, name: str = "labels.csv") -> list[tuple]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        table = read_columns(str(path), WANTED)
        assert table.columns[0] == "row"
        return [tuple(row) for row in table.itertuples(index=False)]

    return run


READ = {
    "CSV": "id,label\na,0\nb,1\n",
    "no end of the last line": "id,label\na,0\nb,1",
    "semicolons": "id;label\na;0\nb;1\n",
    "tabs": "id\tlabel\na\t0\nb\t1\n",
    "UTF-8 with a mark": b"\xef\xbb\xbfid,label\na,0\nb,1\n",
    "UTF-16": "id\tlabel\na\t0\nb\t1\n".encode("utf-16"),
    "line ends of Windows and of old Macs": "id,label\r\na,0\rb,1\r\n",
    "blanks": " id , label\n a , 0\nb ,1 \n",
    "quotes": '"id","label"\n"a","0"\nb,"1"\n',
    "another case": "Id,LABEL\na,0\nb,1\n",
    "other columns": "x,label,y,id\n7,0,,a\n8,1,9,b\n",
    "a comma after each row": "id,label\na,0,\nb,1,\n",
    "commas after some rows": "id,label\na,0\nb,1,,\n",
    "quotes and commas after rows": 'id,label\n"a",0,\nb,1,\n',
}


@pytest.mark.input(
    "Label file",
    "CSV with commas, semicolons or tabs, in UTF-8 with or without a mark, or in UTF-16 with one",
    "read",
)
@pytest.mark.input(
    "Label file", "Line ends of Windows or old Macs, quoted fields, blanks around fields", "read"
)
@pytest.mark.input(
    "Label file",
    "Columns in any order, with others beside them, or named in another case (`Id`)",
    "read by name",
)
@pytest.mark.input("Label file", "A comma after each data row but not in the header", "read without it")
@pytest.mark.parametrize("content", READ.values(), ids=READ)
def test_a_table_is_read(read, content):
    assert read(content) == ROWS


@pytest.mark.parametrize("name", ["table.tsv", "table.txt", "table"])
def test_the_separator_is_found_whatever_the_file_is_called(read, name):
    assert read("id\tlabel\na\t0\nb\t1\n", name) == ROWS
    assert read("id,label\na,0\nb,1\n", name) == ROWS


@pytest.mark.input(
    "Label file", "Blank lines, or rows of separators only", "left out; line numbers stay those of the file"
)
def test_blank_lines_do_not_count_but_their_numbers_do(read):
    assert read("id,label\n\na,0\n,\n  \nb,1\n\n") == [(3, "a", "0"), (6, "b", "1")]


@pytest.mark.input(
    "Label file", "A row with too few fields", "read; what it lacks is empty, and the row is rejected"
)
def test_a_short_row_lacks_its_last_fields(read):
    assert read("id,label\na\nb,1\n") == [(2, "a", ""), (3, "b", "1")]


def test_texts_stay_texts(read):
    assert read("id,label,slide\n007,0,NA\n1.0,1,nan\n") == [(2, "007", "0", "NA"), (3, "1.0", "1", "nan")]


def test_an_optional_column_is_found_by_any_of_its_names(read):
    assert read("id,label,wsi\na,0,s\n") == [(2, "a", "0", "s")]


def test_a_header_alone_is_a_table_without_rows(read):
    assert read("id,label\n") == []


@pytest.fixture
def small_blocks(monkeypatch):
    """A few lines of a file are read at a time."""
    monkeypatch.setattr(tables, "BLOCK", 12)


@pytest.mark.parametrize("content", READ.values(), ids=READ)
def test_a_table_is_the_same_in_small_blocks(read, small_blocks, content):
    assert read(content) == ROWS


def test_rows_are_numbered_on_from_block_to_block(read, small_blocks):
    lines = [f"p{number},{number % 2}" for number in range(50)]
    lines[7], lines[20], lines[33] = '"p7",1', "", "p33,1,"
    found = read("\n".join(["id,label", *lines]))
    assert found == [(number + 2, f"p{number}", str(number % 2)) for number in range(50) if number != 20]


def test_a_line_without_an_end_is_not_read_to_its_end(read, small_blocks):
    with pytest.raises(InputError, match=r"line 3 has more than 12 characters; this is no table"):
        read("id,label\nabcdefgh,1\n" + "x" * 200)


REFUSED = {
    "empty": (b"", "the file is empty"),
    "NUL": (b"id,label\na,0\nb\0,1\n", "there is a NUL character in line 3"),
    "cp1252": (b"id,label\na,0\n\xe9,1\n", r"line 3 is not UTF-8 \(byte 0xe9\); save the file as UTF-8"),
    "UTF-16 cut short": ("id,label\n".encode("utf-16")[:-1], "is not UTF-16"),
    "gzip": (b"\x1f\x8b\x08\0\0", "compressed with gzip; unpack it"),
    "xlsx": (b"PK\x03\x04rest", "a spreadsheet"),
    "HTML": (b"<!DOCTYPE html><html>", "HTML or XML, such as the page of an error"),
    "LFS": (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
    "open quote": ('id,label\na,0\n"b,1\nc,0\n', "line 3 is no row of a table; check its quotes"),
    "text behind a quote": ('id\tlabel\n"a"b\t0\n', "line 2 is no row of a table; check its quotes"),
    "quote over lines": ('id,label\na,0\n"b,1\nc",0\n', "after the end of line 3; is a quote left open"),
    "long row": ("id,label\na,0\nb,1,x\n", r"line 3 has 3 fields, but there are 2 columns: 'b,1,x'"),
    "no header": ("a1,0\nb1,1\n", "the first line has 'a1', '0'; .* put a line with names above"),
    "other names": ("name,target\na,0\n", r"'name', 'target'; name the column in dataset\.columns\.id"),
    "close name": ("ids,label\na,0\n", r"did you mean 'ids'\?"),
    "twice": ("id,label,id\na,0,b\n", "there are 2 columns 'id'; keep one"),
    "two cases": ("ID,Id,label\na,b,0\n", "no column 'id'"),
}  # fmt: skip


@pytest.mark.input("Label file", "An empty file, or one with NUL characters", "refused, with the line")
@pytest.mark.input(
    "Label file",
    "Another encoding (cp1252, Latin-1)",
    "refused: shows the line and the byte; save it as UTF-8",
)
@pytest.mark.input(
    "Label file",
    "gzip, zip, a spreadsheet, HTML or a Git LFS pointer under `.csv`",
    "refused: says which it is",
)
@pytest.mark.input(
    "Label file", "An open quote, or a field that goes on over the end of a line", "refused, with the line"
)
@pytest.mark.input("Label file", "A row with too many fields", "refused: shows the line")
@pytest.mark.input(
    "Label file", "No header, or other names of columns", "refused: shows the first line and names the key"
)
@pytest.mark.input("Label file", "A wanted column that is there twice", "refused")
@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_no_table_is_refused_in_one_line(read, content, message):
    with pytest.raises(InputError, match=message) as caught:
        read(content)
    assert "labels.csv: " in str(caught.value)
    assert "\n" not in str(caught.value)


IN_BLOCKS = {name: case for name, case in REFUSED.items() if name != "quote over lines"}


@pytest.mark.parametrize(("content", "message"), IN_BLOCKS.values(), ids=IN_BLOCKS)
def test_a_file_that_is_no_table_is_refused_in_small_blocks_too(read, small_blocks, content, message):
    with pytest.raises(InputError, match=message):
        read(content)


@pytest.mark.input(
    "Label file", "A folder, pipe or device, or a file of more than 8.6 GB", "refused without reading it"
)
def test_what_is_no_file_is_refused_without_reading(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    for path in (tmp_path / "pipe.csv", tmp_path / "folder.csv", "/dev/zero"):
        with pytest.raises(InputError, match="no file, but a folder, pipe or device"):
            read_columns(str(path), WANTED)
    with open(tmp_path / "huge.csv", "wb") as file:
        file.truncate(10 * 2**30)  # sparse
    with pytest.raises(InputError, match=r"10\.7 GB are too much for a table"):
        read_columns(str(tmp_path / "huge.csv"), WANTED)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_columns(str(tmp_path / "none.csv"), WANTED)


def parquet(tmp_path, **columns) -> str:
    path = tmp_path / "table.parquet"
    pyarrow.parquet.write_table(pa.table(columns), path)
    return str(path)


@pytest.mark.input(
    "Table",
    "Parquet, its values texts, numbers, categories, bytes or nulls",
    "read as texts; 7.0 is `7`, null is empty",
)
def test_parquet_is_read_as_texts(tmp_path):
    ids = pa.array(["a ", None, "c"])
    path = parquet(tmp_path, id=ids, label=pa.array([1.0, 0.0, float("nan")]), x=[1, 2, 3])
    table = read_columns(path, WANTED)
    assert table.to_dict("list") == {"row": [1, 2, 3], "id": ["a", "", "c"], "label": ["1", "0", ""]}
    path = parquet(tmp_path, id=pa.array([7, 8]), label=pa.array(["x", "y"]).dictionary_encode())
    assert read_columns(path, WANTED).to_dict("list") == {
        "row": [1, 2],
        "id": ["7", "8"],
        "label": ["x", "y"],
    }
    path = parquet(tmp_path, id=pa.array([b"a", b"b"]), label=pa.array([True, False]))
    assert read_columns(path, WANTED).label.tolist() == ["1", "0"]
    path = parquet(tmp_path, id=pa.array([datetime.date(2024, 1, 2)]), label=pa.array([0.5]))
    assert read_columns(path, WANTED).values.tolist() == [[1, "2024-01-02", "0.5"]]


@pytest.mark.input(
    "Table", "Parquet that is damaged, or lacks a column", "refused: shows its columns and names the key"
)
def test_parquet_that_does_not_fit_is_refused(tmp_path):
    path = parquet(tmp_path, id=["a"], other=["b"])
    with pytest.raises(
        InputError, match=r"no column 'label', the first line has 'id', 'other'.*dataset\.columns\.label"
    ):
        read_columns(path, WANTED)
    os.truncate(path, os.path.getsize(path) // 2)
    with pytest.raises(InputError, match="no Parquet file that can be read"):
        read_columns(path, WANTED)


ALMOST_ROWS = st.text(alphabet='ab01,;\t"\n\r \0é', max_size=60).map(str.encode)


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.one_of(ALMOST_ROWS, st.binary(max_size=60)))
def test_any_bytes_are_a_table_or_one_line(tmp_path, content):
    path = tmp_path / "any.csv"
    path.write_bytes(b"id,label\n" + content)
    try:
        table = read_columns(str(path), WANTED)
    except InputError as error:
        assert str(error).isprintable()
    else:
        assert list(table)[:3] == ["row", "id", "label"]
