import base64
import io

import numpy as np
import pytest
from PIL import Image

from histopatch.report import pictures


def opened(picture) -> np.ndarray:
    kind, _, content = picture.uri.partition(";base64,")
    assert kind in ("data:image/png", "data:image/webp")
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        assert image.size == (picture.width, picture.height)
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.fixture
def tissue():
    """Smooth, as tissue is, 96×96."""
    across = np.linspace(60, 220, 96)
    return np.stack(np.broadcast_arrays(across, across[:, None], 150.0), axis=-1).astype(np.uint8)


def test_a_chart_is_kept_as_it_is(tmp_path):
    Image.new("RGB", (40, 30), "red").save(tmp_path / "chart.png")
    picture = pictures.from_file(tmp_path / "chart.png")
    assert picture.uri.startswith("data:image/png")
    assert (opened(picture) == [255, 0, 0]).all()


def test_a_figure_of_patches_takes_less_and_keeps_its_size(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (500, 400, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    picture = pictures.from_file(tmp_path / "photo.png")
    assert (picture.width, picture.height) == (400, 500)
    assert len(picture.uri) < (tmp_path / "photo.png").stat().st_size


def test_a_figure_that_webp_cannot_hold_is_kept_as_it_is(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (pictures.WEBP_PIXELS + 1, 10, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "tall.png")
    picture = pictures.from_file(tmp_path / "tall.png")
    assert (opened(picture) == noise).all()


def test_a_patch_is_shown_at_its_full_size(tissue):
    assert np.abs(opened(pictures.from_patch(tissue)) - tissue).mean() < 3


def test_evidence_covers_what_it_is_about_and_leaves_the_rest_clear(tissue):
    evidence = np.zeros((96, 96), np.float32)
    evidence[:32, :32] = 2
    covered = opened(pictures.with_evidence(tissue, evidence))
    changed = np.abs(covered - tissue).mean(axis=-1)
    assert changed[:28, :28].min() > 10
    assert changed[40:, 40:].mean() < 4


def test_a_map_without_evidence_changes_nothing(tissue):
    covered = opened(pictures.with_evidence(tissue, np.zeros((3, 3), np.float32)))
    assert np.abs(covered - tissue).mean() < 3
