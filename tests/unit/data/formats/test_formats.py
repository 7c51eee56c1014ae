import pytest

from histopatch.data.formats import FORMATS
from histopatch.schema import read_schema

DATASET = read_schema()["$defs"]["dataset"]["properties"]


def test_the_schema_knows_the_same_formats():
    assert set(DATASET["format"]["enum"]) == set(FORMATS)


def test_every_key_of_a_data_set_goes_with_a_format():
    keys = {key for known in FORMATS.values() for key in (*known.required, *known.optional)}
    assert keys == set(DATASET) - {"format"}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_read_from_its_own_keys(name):
    known = FORMATS[name]
    dataset = {"format": name, "patch_size": 96, "synthetic": {"seed": 1}}
    dataset |= dict.fromkeys(known.required, "data/mine")
    read = known.read(dataset, "results/mine")
    assert read.patch_size == 96
    assert all(isinstance(text, str) for text in (read.labels, read.images("train"), read.images("test")))
