import pandas as pd
import pytest

from histopatch.data.labels import binary_labels, known_labels
from histopatch.errors import InputError


def binary(labels: list[str], positive: str | None = None) -> list[str]:
    blocks = [pd.DataFrame({"label": part}, dtype=str) for part in (labels[:2], labels[2:])]
    return [label for block in binary_labels(blocks, positive, "labels.csv") for label in block.label]


def test_numbers_are_one_text_each():
    assert binary(["1", "0", "1.0", "0.00", "1e0", ""]) == ["1", "0", "1", "0", "1", ""]


def test_known_labels_are_numbers_likewise():
    """What could be trained on can be compared with predictions."""
    texts = ["1", "0", "1.0", "0.00", "1e0", ""]
    rows = pd.DataFrame({"row": range(2, 8), "label": texts})
    assert known_labels(rows, "labels.csv").tolist() == binary(texts)
    with pytest.raises(InputError, match=r"^labels\.csv: line 3: the label is '2'; use 0, 1 or nothing"):
        known_labels(pd.DataFrame({"row": [2, 3], "label": ["1", "2"]}), "labels.csv")


def test_what_is_neither_stays_for_cleaning():
    assert binary(["1", "0", "2", "nan", "x", "0,5", "-1"]) == ["1", "0", "2", "nan", "x", "0,5", "-1"]


@pytest.mark.input(
    "Label file", "Words as labels, with `dataset.positive`", "the positive one is 1, the other one 0"
)
def test_words_are_labels_where_the_positive_one_is_named():
    assert binary(["tumor", "normal", "", "tumor"], "tumor") == ["1", "0", "", "1"]


def test_numbers_may_be_the_other_way_around():
    assert binary(["0", "1"], positive="0") == ["1", "0"]


@pytest.mark.input(
    "Label file", "Words as labels, without `dataset.positive`", "refused: shows the words and names the key"
)
def test_words_without_a_positive_one_are_refused():
    with pytest.raises(InputError) as caught:
        binary(["tumor", "normal", "normal", "1"])
    words = "'normal' 2 times, 'tumor' 1 times"
    assert str(caught.value) == (
        f"labels.csv: the labels are words ({words}); set dataset.positive to the positive one"
    )


@pytest.mark.input(
    "Label file", "A `dataset.positive` that no row has", "refused: shows the labels that there are"
)
def test_a_positive_label_must_be_there():
    with pytest.raises(
        InputError, match=r"no label is 'Tumor'; set dataset\.positive to one of 'tumor', 'normal'$"
    ):
        binary(["tumor", "normal"], "Tumor")


@pytest.mark.input(
    "Label file", "One word as label, or more than two", "refused: shows how often each is there"
)
@pytest.mark.parametrize("others", [[], ["normal", "stroma"], list("abcdefgh")])
def test_words_must_be_two(others):
    with pytest.raises(InputError, match="two different labels are needed, but there are") as caught:
        binary(["tumor", "tumor", *others], "tumor")
    assert len(str(caught.value)) < 300
