import numpy as np
import pytest

from histopatch.parts import file_facts, kept_parts


def made(value: int, calls: list):
    def make():
        calls.append(value)
        return np.array([value])

    return make


def attempt(result, facts, *values: int, fails: bool = False) -> list[int]:
    """Make parts named by their value; return which had to be made."""
    calls = []
    with kept_parts(result, facts) as parts:
        for value in values:
            assert parts.array(f"{value}", made(value, calls)) == [value]
        if fails:
            raise KeyError
    return calls


@pytest.fixture
def result(tmp_path):
    """A result of which two parts were made before an error."""
    with pytest.raises(KeyError):
        attempt(tmp_path / "result.npy", ["a", 1], 1, 2, fails=True)
    return tmp_path / "result.npy"


def test_only_what_is_missing_is_made(result):
    assert attempt(result, ["a", 1], 1, 2, 3) == [3]


def test_other_facts_make_everything_again(result):
    assert attempt(result, ["a", 2], 1, 2, 3) == [1, 2, 3]


def test_nothing_is_left_when_the_result_is_there(result):
    attempt(result, ["a", 1], 1)
    assert not list(result.parent.iterdir())
    assert attempt(result, ["a", 1], 1) == [1]


def test_a_part_that_is_half_written_is_not_believed(result):
    (folder,) = result.parent.iterdir()
    (folder / ".4711.3.npy").write_bytes((folder / "1.npy").read_bytes()[:-1])
    assert attempt(result, ["a", 1], 1, 2, 3) == [3]


def test_a_folder_that_does_not_say_what_it_is_of_is_not_believed(result):
    (folder,) = result.parent.iterdir()
    (folder / "made_from").unlink()
    assert attempt(result, ["a", 1], 1, 2) == [1, 2]


def test_an_edited_or_missing_file_has_other_facts(tmp_path):
    path = tmp_path / "pack.npy"
    seen = [[*file_facts([path])]]
    for text in ("a", "ab"):
        path.write_text(text)
        seen.append([*file_facts([path])])
    assert len({str(facts) for facts in seen}) == 3
