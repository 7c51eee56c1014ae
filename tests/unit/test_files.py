import errno
import json
import os

import pandas as pd
import pytest

from histopatch.errors import InputError
from histopatch.files import beside, compact, read_table, replacing, write_json, write_table


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_there_when_it_is_whole(tmp_path):
    target = tmp_path / "new" / "folder" / "file.txt"
    with replacing(target) as temporary:
        temporary.write_text("half")
        assert not target.exists()
        assert temporary.parent == target.parent  # so that moving it is one step of the file system
    assert target.read_text() == "half"
    assert names(target.parent) == ["file.txt"]


def test_an_old_file_is_there_until_the_new_one_is_whole(tmp_path):
    target = tmp_path / "file.txt"
    target.write_text("old")
    with replacing(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


def test_a_full_disk_is_told_with_the_name_of_the_file(tmp_path):
    with pytest.raises(OSError) as full, replacing(tmp_path / "table.csv") as temporary:
        temporary.symlink_to("/dev/full")
        temporary.write_text("row")
    assert (full.value.errno, full.value.filename) == (errno.ENOSPC, str(tmp_path / "table.csv"))
    assert not names(tmp_path)


def test_an_error_about_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as missing, replacing(tmp_path / "table.csv"):
        (tmp_path / "image.png").read_bytes()
    assert missing.value.filename == str(tmp_path / "image.png")


@pytest.mark.parametrize("before", [None, "old"])
def test_an_error_leaves_everything_as_it_was(tmp_path, before):
    target = tmp_path / "file.txt"
    if before:
        target.write_text(before)
    with pytest.raises(KeyboardInterrupt), replacing(target) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert names(tmp_path) == (["file.txt"] if before else [])
    assert not before or target.read_text() == before


def test_an_error_before_anything_is_written_is_the_error_that_is_raised(tmp_path):
    with pytest.raises(ValueError, match="cause"), replacing(tmp_path / "file.txt"):
        raise ValueError("cause")


def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    for name in (".4711.table.csv", ".4711.other.csv", ".4712.table.csv", "4711.table.csv"):
        (tmp_path / name).write_text("half")
        if name != ".4712.table.csv":  # which another process is writing now
            os.utime(tmp_path / name, (1, 1))
    with replacing(tmp_path / "table.csv") as temporary:
        temporary.write_text("whole")
    assert names(tmp_path) == [".4711.other.csv", ".4712.table.csv", "4711.table.csv", "table.csv"]


def test_a_table_has_its_columns_and_no_row_numbers(tmp_path):
    table = pd.DataFrame({"id": ["007", "a,b"], "value": [0.1, 1 / 3]}, index=[5, 9])
    write_table(table, tmp_path / "table.csv")
    read = pd.read_csv(tmp_path / "table.csv", dtype={"id": str})
    assert list(read) == ["id", "value"]
    assert read.to_dict("list") == table.to_dict("list")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_is_read_back_as_it_was(tmp_path, kind):
    path = tmp_path / f"table.{kind}"
    table = pd.DataFrame({"id": ["007", "NA", "=1+1"], "row": [0, 2, 1], "mean": [0.1, 1 / 3, 1e-9]})
    write_table(table.set_axis([5, 9, 5]), path)
    pd.testing.assert_frame_equal(read_table(path), table)
    pd.testing.assert_frame_equal(read_table(path, ["mean", "id"]), table[["mean", "id"]])


@pytest.mark.parametrize("length", [0, 10, 500])
def test_a_damaged_table_is_said_to_be_so(tmp_path, length):
    path = tmp_path / "table.parquet"
    write_table(pd.DataFrame({"id": [f"{number:040x}" for number in range(100)]}), path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match=f"^{path}: the file is damaged; remove it and run"):
        read_table(path)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_is_missing_in_a_table_is_missing_when_it_is_read(tmp_path, kind):
    table = pd.DataFrame({"id": ["a", "b"], "software": ["x", None], "bytes": pd.array([None, 7], "Int64")})
    write_table(table, tmp_path / f"table.{kind}")
    assert (
        read_table(tmp_path / f"table.{kind}").isna().to_numpy().tolist() == table.isna().to_numpy().tolist()
    )


def test_json_is_read_back_as_it_was(tmp_path):
    value = {"name": "µ", "numbers": [1, 2.5, None], "nested": {"yes": True}}
    write_json(value, tmp_path / "value.json")
    text = (tmp_path / "value.json").read_text()
    assert json.loads(text) == value
    assert text.endswith("}\n")
    assert len(text.splitlines()) > 1  # a person can read it


def test_compact_texts_group_in_the_order_of_texts():
    blocks = [pd.DataFrame({"slide": names}, dtype=str) for names in (["s9", "s3"], ["s1", "s9"])]
    found = compact(blocks)
    assert found.slide.tolist() == ["s9", "s3", "s1", "s9"]
    assert [*found.groupby("slide", observed=True).size().index] == ["s1", "s3", "s9"]


@pytest.mark.parametrize("count", [2, 4])
def test_columns_go_beside_as_many_rows_only(count):
    blocks = [pd.DataFrame({"id": ["a", "b"]}, index=[5, 6]), pd.DataFrame({"id": ["c"]})]
    joined = pd.concat(beside(blocks, pd.DataFrame({"value": [1, 2, 3]})), ignore_index=True)
    assert joined.to_dict("list") == {"id": ["a", "b", "c"], "value": [1, 2, 3]}
    with pytest.raises(ValueError, match=rf"^{count} rows do not go beside 3$"):
        list(beside(blocks, pd.DataFrame({"value": range(count)})))
