"""What holds for every format."""

from pathlib import Path

import pytest

from histopatch.config import load
from histopatch.data import formats
from histopatch.data.formats.format import Format, format_class, plain, restore
from histopatch.errors import InputError
from histopatch.experiment import read_experiment
from histopatch.preflight import check_inputs
from histopatch.schema import read_schema

DATASET = read_schema()["$defs"]["dataset"]["properties"]
FORMATS = {
    path.stem: format_class(path.stem)
    for path in sorted(Path(formats.__path__[0]).glob("*.py"))
    if path.stem not in ("__init__", "format")
}
PURPOSES = {"images", "labels", "slides"}


def read(name: str) -> Format:
    dataset = {"format": name, "columns": {}, "slide_columns": {}, "patch_size": 96, "synthetic": {"seed": 1}}
    dataset |= dict.fromkeys(FORMATS[name].required, "data/mine")
    return FORMATS[name].read(dataset, "results/mine")


def test_the_schema_knows_the_same_formats():
    assert DATASET["format"]["enum"] == [*FORMATS]


def test_every_key_of_a_data_set_goes_with_a_format():
    keys = {key for known in FORMATS.values() for key in (*known.required, *known.optional)}
    every_format = {"format", "groups", "microns_per_pixel", "shards"}
    assert keys == set(DATASET) - every_format


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_called_as_its_module_and_read_from_its_own_keys(name):
    dataset = read(name)
    assert dataset.name == name
    assert dataset.patch_size == 96
    assert dataset.where


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_has_all_of_the_interface(name):
    interface = {name for name in (*vars(Format), *Format.__annotations__) if not name.startswith("_")}
    dataset = read(name)
    assert not [missing for missing in interface if missing not in {*dir(dataset), *vars(dataset)}]


@pytest.mark.parametrize("name", FORMATS)
def test_a_data_set_that_is_not_there_is_read_all_the_same(name):
    """An experiment that is not asked for is no error."""
    dataset = read(name)
    assert isinstance(dataset.known_groups, tuple)
    assert isinstance(dataset.gives_held_out, bool)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("purpose", sorted(PURPOSES))
def test_a_job_gets_plain_values_and_makes_the_data_set_of_them_again(name, purpose):
    dataset = read(name)
    assert {*dataset.uses} == PURPOSES
    values = plain(dataset, purpose)
    assert all(isinstance(value, str | int | dict | None) for value in values.values())
    assert plain(restore(values), purpose) == values


@pytest.mark.input("Folders", "an empty folder, or one without images", "refused with its path")
@pytest.mark.parametrize(
    ("dataset", "empty"),
    [
        ({"format": "kaggle"}, "train"),
        ({"format": "kaggle"}, "test"),
        ({"format": "folders", "positive": "tumor"}, ""),
    ],
    ids=["train", "test", "folders"],
)
def test_a_folder_without_images_is_named(dataset, empty, tmp_path):
    (tmp_path / "train_labels.csv").write_text("id,label\na,1\n")
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
        (tmp_path / part / ("notes.txt" if part == empty or not empty else "a.png")).write_text("")
    section = {
        "dataset": dataset | {"root": str(tmp_path)},
        "studies": {"first": {"runs": {"plain": {}}}},
        "final": {"study": "first"},
    }
    config = load({"experiment": "mine", "experiments": {"mine": section}})
    with pytest.raises(InputError) as caught:
        check_inputs(read_experiment("mine", config["experiments"]["mine"]))
    folder = f"{tmp_path}/{empty}" if empty else str(tmp_path)
    assert str(caught.value).startswith(f"{folder}: there are no images here (")
    assert "\n" not in str(caught.value)
