import numpy as np
import pytest
from PIL import Image

from histopatch import inference
from histopatch.data.appearance import measure
from histopatch.files import read_table, write_table
from histopatch.prediction.inputs import list_patches
from histopatch.prediction.patches import predict_shard
from histopatch.prediction.shards import KEY
from histopatch.statistics.mahalanobis import Bulk, distances


@pytest.fixture
def predict(ask, model, tmp_path):
    """The table of one shard with all patches of an input."""

    def predict(path):
        asked = ask(path)
        write_table(list_patches(asked)[KEY], tmp_path / "0.input.csv")
        out = tmp_path / "0.csv"
        predict_shard(str(model), str(tmp_path / "0.input.csv"), asked.root, str(out), workers=2)
        return read_table(out)

    return predict


def test_files_are_predicted_as_the_model_predicts_their_pixels(predict, images, model, pixels):
    found = predict(images)
    wanted = inference.load(model, "cpu").predict(pixels)
    assert np.ptp(wanted) > 0.1
    assert np.allclose(found.probability, wanted, atol=1e-5)
    assert found.reason.isna().all()


def test_the_rows_of_an_array_are_predicted(predict, model, pixels, array):
    found = predict(array(pixels))
    assert np.allclose(found.probability, inference.load(model, "cpu").predict(pixels), atol=1e-5)
    assert found.row.tolist() == [*range(12)]


@pytest.mark.input(
    "Prediction",
    "An image that is missing, damaged or of another size",
    "a row with the reason; the others are predicted",
)
def test_a_file_that_cannot_be_used_costs_no_other(predict, images, model, pixels, csv):
    (images / "a/01.png").write_bytes(b"")
    Image.new("RGB", (50, 50)).save(images / "a/02.png")
    table = csv("patches.csv", "path", *[f"images/a/{n:02d}.png" for n in range(4)], "images/gone.png")
    found = predict(table)
    assert found.reason[[1, 2, 4]].tolist() == [
        "unreadable: the file is empty",
        "shape 50×50, not 40×40",
        "unreadable: no such file",
    ]
    assert found.loc[[1, 2, 4], ["probability", "appearance_distance"]].isna().all(axis=None)
    assert found.reason[[0, 3]].isna().all()
    wanted = inference.load(model, "cpu").predict(pixels[[0, 3]])
    assert np.allclose(found.probability[[0, 3]], wanted, atol=1e-5)


def test_a_shard_in_which_no_file_can_be_used(predict, images):
    for path in (images / "a").iterdir():
        path.write_bytes(b"none")
    assert predict(images).reason.notna().all()


def test_the_distance_is_that_from_the_training_part(predict, images, model, pixels, tmp_path):
    Image.fromarray(pixels[0][..., ::-1] // 3).save(images / "a/00.png")  # blue for red, and dark
    found = predict(images)
    known = inference.load(model, "cpu").description["appearance"]
    bulk = Bulk(np.array(known["mean"]), np.array(known["precision"]))
    assert np.allclose(found.appearance_distance[1:], distances(measure(pixels[1:]), bulk), atol=1e-3)
    assert found.appearance_distance[0] > 3 * known["quantiles"]["0.99"]
    assert (found.appearance_distance[1:] <= known["quantiles"]["0.99"] + 0.5).all()
