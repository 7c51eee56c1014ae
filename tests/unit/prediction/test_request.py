import json
import re
import shutil

import pytest

from histopatch.errors import InputError
from histopatch.prediction.request import read_request


def test_a_request_has_defaults(model, images):
    asked = read_request(
        {"model": str(model), "input": str(images), "out": None, "point": "", "abstain": None}
    )
    assert (asked.kind, asked.point, asked.abstain) == ("folder", "youden", "0.1")
    assert asked.out == "results/predictions/images"
    assert asked.root == str(images)


def test_a_number_on_the_command_line_is_a_text(ask, images):
    assert ask(images, abstain=0.05).abstain == "0.05"
    assert ask(images, abstain=0).abstain == "0"


def test_the_components_of_the_networks_are_named(ask, images, model, tmp_path):
    assert ask(images).components == ["backbones.torchvision"]
    stained = shutil.copytree(model, tmp_path / "stained")
    description = json.loads((stained / "model.json").read_text())
    description["networks"][0]["model"]["stain_normalisation"] = {"method": "macenko"}
    (stained / "model.json").write_text(json.dumps(description))
    assert ask(images, model=str(stained)).components == ["backbones.torchvision", "stain.macenko"]


@pytest.mark.parametrize(("name", "kind"), [("a.csv", "table"), ("A.TSV", "table"), ("b.h5", "hdf5")])
def test_a_file_is_known_by_its_suffix(ask, tmp_path, name, kind):
    path = tmp_path / name
    path.touch()
    assert (ask(path).kind, ask(path).root) == (kind, str(tmp_path))


@pytest.mark.input(
    "Prediction",
    "`MODEL` or `INPUT` left out; a `POINT` or `ABSTAIN` that the model does not know",
    "refused: what is missing, or which there are",
)
@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"model": None}, "MODEL is missing; make predict MODEL="),
        ({"input": ""}, "INPUT is missing; make predict MODEL="),
        ({"point": "younden"}, "POINT: 'younden' is not known to this model; use one of youden"),
        (
            {"abstain": "0.15"},
            "ABSTAIN: '0.15' is not known to this model; use one of 0, 0.05, 0.1, 0.2",
        ),
    ],
)
def test_a_request_that_cannot_be_is_refused(ask, images, config, words):
    with pytest.raises(InputError, match=f"^{re.escape(words)}"):
        ask(images, **config)


@pytest.mark.input(
    "Prediction", "An `INPUT` that is not there, or no folder, table or HDF5 file", "refused: what it may be"
)
def test_an_input_of_another_kind_is_refused(ask, tmp_path):
    with pytest.raises(InputError, match=r"none\.csv: no such file or folder; INPUT names"):
        ask(tmp_path / "none.csv")
    (tmp_path / "notes.docx").touch()
    with pytest.raises(InputError, match=r"notes\.docx: INPUT is a folder of images, a table"):
        ask(tmp_path / "notes.docx")


@pytest.mark.input(
    "Prediction", "An `OUT` that is a file, lies inside `INPUT` or has braces in its name", "refused"
)
def test_a_folder_of_results_that_cannot_be_is_refused(ask, images):
    with pytest.raises(InputError, match="OUT lies inside INPUT"):
        ask(images, out=str(images / "out"))
    with pytest.raises(InputError, match="OUT is a file"):
        ask(images, out=str(images / "a/00.png"))
    with pytest.raises(InputError, match="braces"):
        ask(images, out="results/{a}")


@pytest.mark.input(
    "Prediction",
    "A model that was exported before it said how its training patches look",
    "refused: export it again",
)
def test_a_model_without_appearance_is_refused(ask, images, model, tmp_path):
    old = shutil.copytree(model, tmp_path / "old")
    description = json.loads((old / "model.json").read_text())
    del description["appearance"]
    (old / "model.json").write_text(json.dumps(description))
    with pytest.raises(InputError, match="export it again"):
        ask(images, model=str(old))
