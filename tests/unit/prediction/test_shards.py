import pandas as pd
import pytest

from histopatch.files import read_table
from histopatch.prediction import shards
from histopatch.prediction.shards import assign


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(shards, "MOST", 3)


def patches(*names: str, **modified: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": names, "file": [f"{name}.png" for name in names], "row": -1, "bytes": 10,
            "modified": [modified.get(name, 1) for name in names],
        }
    )  # fmt: skip


def found(out, *names: str, **modified: int) -> dict[str, int]:
    assigned = assign(str(out), patches(*names, **modified), 96)
    assert assigned.id.tolist() == [*names]
    pd.testing.assert_frame_equal(
        read_table(out / "input.csv").astype({"shard": str}),
        assigned.assign(shard=assigned.shard.astype(int).astype(str)),
    )
    return dict(zip(assigned.id, assigned.shard, strict=True))


def listed(out) -> dict[int, list[str]]:
    return {int(path.name[0]): read_table(path).id.to_list() for path in sorted((out / "shards").iterdir())}


def test_each_shard_has_so_many(tmp_path):
    found(tmp_path, *"abcdefg")
    assert listed(tmp_path) == {0: [*"abc"], 1: [*"def"], 2: ["g"]}


def test_what_is_new_goes_to_new_shards(tmp_path):
    before = found(tmp_path, *"bdf")
    after = found(tmp_path, *"abcdefg")
    assert {name: after[name] for name in before} == before
    assert listed(tmp_path) == {0: [*"bdf"], 1: [*"ace"], 2: ["g"]}


def test_what_has_changed_is_new(tmp_path):
    found(tmp_path, *"abc")
    assert found(tmp_path, *"abc", b=2) == {"a": 0, "b": 1, "c": 0}
    assert listed(tmp_path) == {0: [*"abc"], 1: ["b"]}


def test_what_has_gone_leaves_its_shard_as_it_is_and_may_come_back(tmp_path):
    before = found(tmp_path, *"abcd")
    assert found(tmp_path, "a", "d") == {"a": 0, "d": 1}
    assert found(tmp_path, *"abcd") == before


def test_the_list_keeps_its_time_while_nothing_changes(tmp_path):
    found(tmp_path, *"abc")
    time = (tmp_path / "input.csv").stat().st_mtime_ns
    found(tmp_path, *"abc")
    assert (tmp_path / "input.csv").stat().st_mtime_ns == time
    found(tmp_path, *"ab")
    assert (tmp_path / "input.csv").stat().st_mtime_ns > time


def test_what_a_killed_process_left_half_written_is_no_shard(tmp_path):
    before = found(tmp_path, *"abc")
    (tmp_path / "shards/.123.1.input.csv").write_text("id,file\nd,")
    assert found(tmp_path, *"abcd") == before | {"d": 1}


def test_the_pixels_of_a_shard_fit_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "MOST_BYTES", 2 * 3 * 96**2 + 1)
    found(tmp_path, *"abcd")
    assert [*map(len, listed(tmp_path).values())] == [2, 2]
