import time

import pytest

from histopatch.errors import InputError
from histopatch.yaml_files import read_yaml

DEEP = 1500
BOMB = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{p: *a{n - 1}, q: *a{n - 1}, r: *a{n - 1}}}\n" for n in range(1, 40)
)


@pytest.fixture
def file(tmp_path):
    def file(content: str | bytes) -> str:
        path = tmp_path / "config.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return file


def test_a_mapping_is_read(file):
    assert read_yaml(file("a: {b: [1, 2.5, text]}\nc: null\n")) == {"a": {"b": [1, 2.5, "text"]}, "c": None}


@pytest.mark.input("Configuration", "a byte order mark, Windows line ends", "read")
def test_a_file_from_windows_is_read(file):
    assert read_yaml(file(b"\xef\xbb\xbfa: 1\r\nb:\r\n  c: 2\r\n")) == {"a": 1, "b": {"c": 2}}


@pytest.mark.input("Configuration", "anchors, aliases and `<<`, whose keys are given again", "read")
def test_anchors_and_merges_work(file):
    text = "base: &base {lr: 1, seed: 2}\nother: &other {epochs: 3}\nrun:\n  <<: [*base, *other]\n  lr: 5\n"
    assert read_yaml(file(text))["run"] == {"lr": 5, "seed": 2, "epochs": 3}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(
            "a:\n  lr: 1\n  seed: 2\n  lr: 3\n",
            ", line 4: the key 'lr' is given twice, first in line 2; keep one",
            marks=pytest.mark.input("Configuration", "a key twice in a mapping", "refused, with both lines"),
        ),
        ('a: 1\n"a": 1\n', ", line 2: the key 'a' is given twice, first in line 1"),
        (
            "2024_01: a\n",
            ", line 1: YAML reads the name 2024_01 as the number 202401; put it in quotes: '2024_01'",
        ),
        ("a:\n  007: b\n", ", line 2: YAML reads the name 007 as the number 7; put it in quotes: '007'"),
        ("no: a\n", ", line 1: YAML reads the name no as `false` (or no, off); put it in quotes: 'no'"),
        ("2024-01-02: a\n", "as the date 2024-01-02; put it in quotes: '2024-01-02'"),
        ("~: a\n", "YAML reads the name ~ as `null`; put it in quotes: '~'"),
        ("x: [{a: 1, a: 1}]\n", ", line 1: the key 'a' is given twice"),
        ("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n", ", line 4: the key '<<' is given twice"),
        pytest.param(
            b"a: 1\nb: caf\xe9\n",
            ", line 2: not UTF-8; save the file as UTF-8",
            marks=pytest.mark.input(
                "Configuration", "an encoding other than UTF-8", "refused, with the line"
            ),
        ),
        pytest.param("", ": empty; ", marks=pytest.mark.input("Configuration", "an empty file", "refused")),
        ("# nothing\n", ": empty; "),
        pytest.param(
            "- a\n- b\n",
            ", line 1: a sequence at the top; ",
            marks=pytest.mark.input("Configuration", "a list or text instead of a mapping", "refused"),
        ),
        ("text", ", line 1: a scalar at the top; "),
        pytest.param(
            "a: 1\nb: [1, 2\nc: 3\n",
            ", line 3: ",
            marks=pytest.mark.input("Configuration", "no valid YAML", "refused, with the line"),
        ),
        pytest.param(
            "a:\n\tb: 1\n",
            ", line 2: a tab; indent with spaces",
            marks=pytest.mark.input("Configuration", "a line that is indented with a tab", "refused"),
        ),
        ("a: 1\n---\nb: 1\n", ", line 2: but found another document"),
        ("a: 1\nb: *none\n", ", line 2: found undefined alias 'none'"),
        ("a: 1\n[1, 2]: 2\n", ", line 2: a sequence as a key"),
        ("a: 2024-13-45\n", ": month must be in 1..12"),
        ("a: \x00\n", ": unacceptable character"),
        (f"a: {'9' * 5000}\n", ": Exceeds the limit"),
        pytest.param(
            "a: !!python/object/apply:os.getcwd []\n",
            ", line 1: could not determine a constructor for the tag",
            marks=pytest.mark.input("Configuration", "Python objects in YAML", "refused; nothing is run"),
        ),
        pytest.param(
            BOMB,
            ": more than 100000 values",
            marks=pytest.mark.input("Configuration", "aliases of aliases that expand to billions", "refused"),
        ),
        ("a: &a [1, *a]\n", ", line 1: an alias that contains itself"),
        ("a: " + "[" * DEEP + "]" * DEEP, ": nested too deeply"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(file, content, told):
    path, start = file(content), time.perf_counter()
    with pytest.raises(InputError) as caught:
        read_yaml(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(path)
    assert told in message, message
    assert time.perf_counter() - start < 10


def test_names_in_quotes_are_names(file):
    assert read_yaml(file("'2024_01': {'007': 1, \"no\": 2, 1e3: 3}\n")) == {
        "2024_01": {"007": 1, "no": 2, "1e3": 3}
    }


@pytest.mark.input("Configuration", "a missing file, or a folder", "refused")
def test_a_file_that_is_not_there_is_one_line(tmp_path):
    for path, reason in ((tmp_path / "none.yaml", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(InputError, match=rf"^{path}: could not be read \({reason}"):
            read_yaml(path)
