import functools
import json
import shutil

import numpy as np
import onnxruntime
import pytest
import torch
from exported import IMAGE_SIZE, THRESHOLD, make_model
from PIL import Image

from histopatch import inference
from histopatch.errors import InputError
from histopatch.inference import patches

SIZE, COUNT = 40, 12


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """Coloured noise in which each patch has a brightness of its own."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 100, (COUNT, SIZE, SIZE, 3), np.uint8)
    noise[:, : SIZE // 2] += np.linspace(0, 100, COUNT, dtype=np.uint8)[:, None, None, None]
    return noise


@pytest.fixture(scope="module")
def made(pixels, tmp_path_factory):
    """Make an exported model, and return its folder and what the workflow predicts.

    It is made once, so a test that changes the folder copies it before.
    """

    @functools.cache
    def make(**settings):
        folder = tmp_path_factory.mktemp("made") / "model"
        return folder, make_model(folder, pixels, **settings)

    return make


SETTINGS = [
    {},
    {"average": "logit"},
    {"average": "rank"},
    {"symmetries": True},
    {"stain": "reinhard"},
    {"stain": "macenko", "size": 64},
    {"average": "logit", "symmetries": True, "size": SIZE},
]


@pytest.mark.parametrize("runtime", inference.RUNTIMES)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_probabilities_are_those_of_the_workflow(made, pixels, settings, runtime):
    folder, wanted = made(**settings)
    found = inference.load(folder, "cpu", runtime).predict(pixels)
    assert np.ptp(wanted) > 0.1
    assert found.shape == (COUNT,)
    assert np.allclose(found, wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("batch", [1, 5, COUNT])
def test_the_onnx_file_alone_gives_the_same_probabilities(made, pixels, settings, batch):
    folder, wanted = made(**settings)
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    (patches,) = session.get_inputs()
    assert (patches.type, patches.shape[1:]) == ("tensor(uint8)", [SIZE, SIZE, 3])
    names = [output.name for output in session.get_outputs()]
    parts = [pixels[start : start + batch] for start in range(0, COUNT, batch)]
    found = [dict(zip(names, session.run(None, {patches.name: part}), strict=True)) for part in parts]
    probabilities = np.concatenate([part["probability"] for part in found]).astype(float)
    assert np.allclose(probabilities, wanted, rtol=0, atol=1e-5)
    assert ("recalibrated" in names) == (settings.get("average") != "rank")
    if "recalibrated" in names:
        recalibrated = np.concatenate([part["recalibrated"] for part in found])
        logits = np.log(probabilities / (1 - probabilities))
        assert np.allclose(recalibrated, 1 / (1 + np.exp(0.7 - 1.6 * logits)), rtol=0, atol=1e-6)
    description = json.loads((folder / "model.json").read_text())["onnx"]
    assert description["outputs"] == names
    assert all(0 <= difference < 1e-5 for difference in description["differences"].values())


def test_each_setting_of_the_tests_above_matters(made, pixels):
    """Else they could not tell whether it is carried over."""
    found = [made(**settings)[1] for settings in ({}, {"symmetries": True}, {"stain": "reinhard"})]
    assert all(np.abs(found[0] - other).max() > 1e-3 for other in found[1:])


def test_files_are_read_as_images_are_packed(made, pixels, tmp_path):
    folder, wanted = made()
    paths = [tmp_path / f"{number}.png" for number in range(COUNT)]
    for path, image in zip(paths, pixels, strict=True):
        Image.fromarray(image).save(path)
    model = inference.load(str(folder), "cpu")
    assert np.allclose(model.predict(paths), wanted, atol=1e-5)
    assert np.allclose(model.predict([str(path) for path in paths[::-1]]), wanted[::-1], atol=1e-5)


def test_many_images_are_predicted_a_part_at_a_time(made, pixels, monkeypatch):
    folder, wanted = made()
    monkeypatch.setattr(patches, "PART_BYTES", 5 * pixels[0].nbytes)
    assert np.allclose(inference.load(folder, "cpu").predict(pixels), wanted, atol=1e-5)


def test_no_images_have_no_probabilities(made, pixels):
    model = inference.load(made()[0], "cpu")
    assert model.predict([]).shape == model.predict(pixels[:0]).shape == (0,)


def test_recalibration_is_applied_where_it_is_asked_for(made, pixels):
    folder, raw = made()
    found = inference.load(folder, "cpu").predict(pixels, recalibrated=True)
    logits = np.log(raw / (1 - raw))
    assert np.allclose(found, 1 / (1 + np.exp(0.7 - 1.6 * logits)), atol=1e-5)


@pytest.mark.input("Exported model", "Recalibration of mean ranks", "refused: ranks are no probabilities")
def test_ranks_are_not_recalibrated(made, pixels):
    model = inference.load(made(average="rank")[0], "cpu")
    assert model.description["recalibration"] is None
    with pytest.raises(InputError, match=r"averages ranks"):
        model.predict(pixels, recalibrated=True)


def test_the_description_says_what_it_takes(made):
    folder, _ = made()
    model = inference.load(folder, "cpu")
    description = json.loads((folder / "model.json").read_text())
    assert model.description == description
    assert (description["patch_size"], description["labels"]["1"]) == (SIZE, "tumour")
    assert description["networks"][1]["run"] == "run-1"
    assert description["networks"][0]["model"]["image_size"] == IMAGE_SIZE
    assert description["operating_points"]["youden"]["chosen_for"] == "Youden's J"
    assert model.thresholds == {"youden": THRESHOLD}


@pytest.mark.input(
    "Exported model",
    "An array that is not uint8, or not N×S×S×3 with the S of the model",
    "refused: what is needed, and what was given",
)
@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda pixels: pixels / 255, "float64 12×40×40×3"),
        (lambda pixels: pixels[0], "uint8 40×40×3"),
        (lambda pixels: pixels.transpose(0, 3, 1, 2), "uint8 12×3×40×40"),
        (lambda pixels: pixels[:, :32, :32], "uint8 12×32×32×3"),
        (lambda pixels: pixels[..., :1], "uint8 12×40×40×1"),
    ],
)
def test_an_array_of_another_kind_is_refused(made, pixels, change, found):
    model = inference.load(made()[0], "cpu")
    with pytest.raises(InputError, match=f"uint8 N×40×40×3, RGB .*, not {found}$"):
        model.predict(change(pixels))


@pytest.mark.input(
    "Exported model", "One path, or patches in a list", "refused: an array or a list of files is needed"
)
def test_what_is_neither_an_array_nor_a_list_of_files_is_refused(made, pixels):
    model = inference.load(made()[0], "cpu")
    with pytest.raises(InputError, match=r"a list of files, not one str$"):
        model.predict("a.png")
    with pytest.raises(InputError, match="not a ndarray; stack patches"):
        model.predict([*pixels])


@pytest.mark.input(
    "Exported model", "An image file of another size, damaged or missing", "refused: its path and the reason"
)
@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "no such file"), (b"", "the file is empty"), ((50, 50), "shape 50×50, not 40×40")],
)
def test_a_file_that_cannot_be_used_is_named(made, tmp_path, content, reason):
    path = tmp_path / "a patch.png"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        Image.new("RGB", content).save(path)
    with pytest.raises(InputError) as refused:
        inference.load(made()[0], "cpu").predict([path])
    assert str(path) in str(refused.value) and reason in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.input(
    "Exported model", "A runtime that is not known, or OpenVINO on a GPU", "refused: which there are"
)
@pytest.mark.parametrize(("device", "runtime"), [("cpu", "tensorrt"), ("cuda", "openvino")])
def test_a_runtime_that_the_device_lacks_is_refused(made, device, runtime):
    with pytest.raises(InputError, match=f"runtime: '{runtime}' on {device}; use `torch`, or `openvino` on"):
        inference.load(made()[0], device, runtime)


def delete(folder):
    (folder / "model.safetensors").unlink()


def delete_onnx(folder):
    (folder / "model.onnx").unlink()


def exchange_onnx(folder):
    (folder / "model.onnx").write_bytes(b"another")


def damage(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


def break_description(folder):
    (folder / "model.json").write_text("{")


def from_the_future(folder):
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))


def mix(folder):
    path = folder / "model.json"
    description = json.loads(path.read_text())
    description["networks"][0]["model"]["architecture"] = "resnet34"
    path.write_text(json.dumps(description))


@pytest.mark.input(
    "Exported model",
    "A folder without the three files, or whose files are damaged, of a later format or of different models",
    "refused: the file, and what to do",
)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (delete, r"model\.safetensors: there is no such file"),
        (delete_onnx, r"model\.onnx: there is no such file"),
        (exchange_onnx, r"model\.onnx does not belong to model\.json"),
        (damage, r"model\.safetensors: not a file of weights"),
        (break_description, r"model\.json: not JSON"),
        (from_the_future, r"model\.json: its format is 2"),
        (mix, r"model\.safetensors does not belong to model\.json"),
    ],
)
def test_a_folder_that_holds_no_model_is_refused(made, tmp_path, change, words):
    folder = shutil.copytree(made()[0], tmp_path / "copy")
    change(folder)
    with pytest.raises(InputError, match=words) as refused:
        inference.load(folder, "cpu", "torch" if change is mix else "openvino")
    assert "\n" not in str(refused.value)


@pytest.mark.input("Exported model", "A device that is not there, or that torch does not know", "refused")
@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("cuda", "torch finds no GPU"),
        ("mps", "torch finds no GPU"),
        ("gpu", "torch knows no"),
        ("meta", "models are not computed on 'meta'"),
        ("cpu:1", "there is no 'cpu:1'; the last one is 'cpu:0'"),
    ],
)
def test_a_device_that_is_not_there_is_one_line(made, device, said, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(InputError, match=f"^device: {said}"):
        inference.load(made()[0], device)


def test_a_gpu_beyond_the_last_one_is_one_line(made, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(InputError, match=r"^device: there is no 'cuda:2'; the last one is 'cuda:1'$"):
        inference.load(made()[0], "cuda:2")
