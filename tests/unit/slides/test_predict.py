import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from histopatch.errors import InputError
from histopatch.slides.predict import predict_slide
from histopatch.slides.tiling import Tiling

SIZE = 96
EVERYTHING = Tiling(tissue=0)


@pytest.fixture
def predicted(model, tmp_path):
    """Predict a slide; return its summary and its tiles."""

    def predict(path: str, tiling: Tiling = EVERYTHING):
        summary = predict_slide(model, path, tmp_path / "out", tiling)
        assert summary == json.loads((tmp_path / "out/slide.json").read_text())
        return summary, pd.read_csv(tmp_path / "out/tiles.csv")

    return predict


def assert_as_patches(tiles: pd.DataFrame, wanted: np.ndarray, width: int, within: float) -> None:
    """wanted: of the 48 patches, 8 in a row."""
    tiles = tiles.sort_values(["y", "x"])
    assert np.array_equal(tiles[["x", "y"]] // width, np.indices((6, 8)).reshape(2, -1).T[:, ::-1])
    assert (tiles.width == width).all()
    assert np.abs(tiles.probability.to_numpy() - wanted).max() < within


def test_tiles_have_the_probabilities_of_their_patches(model, patches, mosaic, pyramid, predicted):
    wanted = model.predict(patches)
    assert np.ptp(wanted) > 0.2
    summary, tiles = predicted(pyramid(mosaic, 0.5))
    assert_as_patches(tiles, wanted, SIZE, 1e-5)
    assert (summary["tiles"], summary["background"]) == (48, 0)
    assert summary["max"] == pytest.approx(wanted.max(), abs=1e-5)
    assert summary["mean_top_k"] == pytest.approx(np.sort(wanted)[-10:].mean(), abs=1e-5)
    assert summary["share_above"] == np.mean(wanted >= model.thresholds["youden"])


def test_a_plain_image_of_known_resolution(model, patches, mosaic, tmp_path, predicted):
    Image.fromarray(mosaic).save(tmp_path / "a.png")
    _, tiles = predicted(str(tmp_path / "a.png"), Tiling(tissue=0, microns_per_pixel=0.5))
    assert_as_patches(tiles, model.predict(patches), SIZE, 1e-5)


@pytest.mark.parametrize("levels", [1, 2], ids=["resampled", "from its second level"])
def test_a_slide_of_twice_the_resolution(model, patches, mosaic, pyramid, predicted, levels):
    """Its tiles are twice as wide in its own pixels and show the same tissue."""
    fine = np.asarray(Image.fromarray(mosaic).resize((2 * 768, 2 * 576), Image.Resampling.BICUBIC))
    summary, tiles = predicted(pyramid(fine, 0.25, levels))
    assert (summary["level"], summary["scale"]) == (levels - 1, 2)
    assert_as_patches(tiles, model.predict(patches), 2 * SIZE, 0.1)
    # Read at its own resolution it would have four times as many tiles, of other tissue.
    assert len(predicted(pyramid(fine, 0.5))[1]) == 4 * 48


def test_background_is_skipped(model, patches, mosaic, pyramid, predicted):
    slide = np.full((960, 1152, 3), 240, np.uint8)
    slide[192:768, 192:960] = mosaic
    summary, tiles = predicted(pyramid(slide, 0.5), Tiling())
    assert summary["tiles"] + summary["background"] == 120
    assert tiles.x.between(192, 959).all() and tiles.y.between(192, 767).all()
    assert len(tiles) > 40


def test_a_slide_without_tissue_has_no_scores(pyramid, predicted, tmp_path):
    summary, tiles = predicted(pyramid(np.full((300, 400, 3), 240, np.uint8), 0.5), Tiling())
    assert tiles.empty and summary["max"] is None
    assert Image.open(tmp_path / "out/heat_map.png").width > 500
    assert json.loads((tmp_path / "out/tiles.geojson").read_text())["features"] == []


def test_a_stride_gives_overlapping_tiles(mosaic, pyramid, predicted):
    _, tiles = predicted(pyramid(mosaic[:192, :192], 0.5), Tiling(tissue=0, stride=48))
    assert sorted(set(tiles.x)) == sorted(set(tiles.y)) == [0, 48, 96] and len(tiles) == 9


def test_objects_for_qupath(model, mosaic, pyramid, predicted, tmp_path):
    """The keys that QuPath 0.4 and later read: objectType, classification, measurements."""
    _, tiles = predicted(pyramid(mosaic, 0.5))
    found = json.loads((tmp_path / "out/tiles.geojson").read_text())
    assert found["type"] == "FeatureCollection" and len(found["features"]) == len(tiles)
    for feature, tile in zip(found["features"], tiles.itertuples(), strict=True):
        assert feature["type"] == "Feature" and feature["geometry"]["type"] == "Polygon"
        (ring,) = feature["geometry"]["coordinates"]
        assert ring[0] == ring[-1] == [tile.x, tile.y] and ring[2] == [tile.x + SIZE, tile.y + SIZE]
        properties = feature["properties"]
        assert properties["objectType"] == "tile"
        positive = tile.probability >= model.thresholds["youden"]
        assert properties["classification"]["name"] == ("tumour" if positive else "negative")
        assert properties["measurements"]["probability"] == pytest.approx(tile.probability, abs=1e-6)
    assert len({feature["id"] for feature in found["features"]}) == len(tiles)


def test_a_real_slide(aperio, predicted, tmp_path):
    summary, tiles = predicted(aperio, Tiling())
    assert summary["scale"] == 1  # 0.499 µm is as good as 0.5
    assert 250 < len(tiles) < 400
    assert tiles.probability.between(0, 1).all()
    assert Image.open(tmp_path / "out/heat_map.png").width > 1000


@pytest.mark.input(
    "Slides",
    "A resolution that neither the file nor the model says",
    "refused: asks for `MPP` or `MODEL_MPP`, before any job",
)
def test_an_unknown_resolution_is_asked_for(model, mosaic, pyramid, predicted, monkeypatch):
    with pytest.raises(InputError, match=r"slide\.tif: .* give MPP,"):
        predicted(pyramid(mosaic))
    monkeypatch.setitem(model.description, "microns_per_pixel", None)
    with pytest.raises(InputError, match="MODEL_MPP is missing"):
        predicted(pyramid(mosaic, 0.5))
    given = Tiling(tissue=0, trained_microns_per_pixel=0.5)
    assert len(predicted(pyramid(mosaic, 0.5), given)[1]) == 48


@pytest.mark.input(
    "Slides", "A slide smaller than a patch of the model", "refused: its size at that resolution"
)
def test_a_slide_smaller_than_a_patch_is_refused(mosaic, pyramid, predicted):
    with pytest.raises(InputError, match=r"slide\.tif: 48×48 px"):
        predicted(pyramid(mosaic[:96, :96], 0.25))
