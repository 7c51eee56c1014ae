import numpy as np
import pytest

from histopatch.figures import augmentation

NAMES = ["flips", "stain", "quarter_turns"]


@pytest.fixture
def gallery():
    """Grey patches: 10 and 20 the patch and its partner, then 30, 40, … one for each draw, and so on."""

    def grey(*shape):
        return np.full((*shape, 64, 64, 3), 10, np.uint8)

    draws = 30 + 10 * np.arange(6, dtype=np.uint8).reshape(3, 2)
    return {
        "patch": grey(),
        "partner": grey() + np.uint8(10),
        "augmentation": np.array(NAMES),
        "strength": np.array(["", "0.2", ""]),
        "augmented": grey(3, 2) * 0 + draws[..., None, None, None],
        "stained": grey(2) * 10,
        "method": np.array(["macenko"]),
        "normalised": grey(1, 2) * 11,
    }


def test_each_augmentation_is_a_row_with_its_name_and_strength(render, gallery, assert_inside):
    figure = render(augmentation.draw_augmentation, gallery)
    rows = {axes.texts[0].get_text(): axes for axes in figure.axes if axes.texts}
    names = {"patch", "another", "flips", "stain", "quarter turns", "patches", "macenko"}
    assert names == set(rows)
    assert rows["stain"].texts[1].get_text() == "0.2"
    shown = {"patch": [10], "another": [20], "flips": [30, 40], "stain": [50, 60]}
    for name, values in shown.items():
        sheet = rows[name].images[0].get_array()
        assert np.unique(sheet).tolist() == [*values, 255]
        assert all((sheet == value).sum() == 64 * 64 * 3 for value in values)
    assert (rows["patches"].images[0].get_array() == 100).sum() == 2 * 64 * 64 * 3
    assert (rows["macenko"].images[0].get_array() == 110).sum() == 2 * 64 * 64 * 3
    assert_inside(figure)


def test_the_central_third_of_the_patch_is_outlined(render, gallery):
    figure = render(augmentation.draw_augmentation, gallery)
    (square,) = figure.axes[0].patches
    assert square.get_bbox().extents == pytest.approx([20.5, 20.5, 42.5, 42.5])  # pixels 21 to 42 of 64
    assert not any(axes.patches for axes in figure.axes[1:])


def test_it_is_written(tmp_path, gallery, is_written):
    np.savez(tmp_path / "gallery.npz", **gallery)
    augmentation.augmentation(str(tmp_path / "gallery.npz"), str(tmp_path / "figure.png"), dpi=60)
    assert is_written()
