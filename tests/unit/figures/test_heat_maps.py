import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from histopatch.figures import heat_maps


def rows(*predicted) -> pd.DataFrame:
    """Rows of most confident predictions from pairs of label and probability."""
    labels, probabilities = zip(*predicted, strict=True)
    return pd.DataFrame({"label": labels, "probability": probabilities, "centre_share": 0.25})


ALL = [(0, 0.01), (0, 0.02), (0, 0.97), (1, 0.99), (1, 0.98), (1, 0.9), (1, 0.03)]


@pytest.fixture
def draw(render):
    def run(table, size=96, maps=None):
        pixels = np.arange(len(table), dtype=np.uint8)[:, None, None, None] * np.ones(
            (size, size, 3), np.uint8
        )
        maps = np.random.default_rng(0).random((len(table), 96, 96)) if maps is None else maps
        return render(heat_maps.draw_heat_maps, table, pixels, maps)

    return run


def blocks(figure) -> list:
    """The axes of the patches, without that of the colours."""
    return [axes for axes in figure.axes if axes.get_title(loc="left")]


def test_maps_that_are_too_coarse_are_not_drawn(draw):
    (axes,) = draw(rows(*ALL).assign(centre_share=np.nan)).axes
    assert "No heat maps" in axes.texts[0].get_text()
    assert not axes.images


def test_each_kind_has_a_row_of_pairs(draw, assert_inside):
    figure = draw(rows(*ALL))
    assert [axes.get_title(loc="left") for axes in blocks(figure)] == [
        "negative (0), right",
        "negative (0), wrong: taken for positive",
        "positive (1), right",
        "positive (1), wrong: taken for negative",
    ]
    # A patch, and the patch again under its map.
    assert [len(axes.images) for axes in blocks(figure)] == [6, 3, 9, 3]
    assert_inside(figure)


def test_a_kind_without_predictions_has_no_row(draw):
    figure = draw(rows((0, 0.1), (1, 0.9)))
    assert len(blocks(figure)) == 2


def test_patches_and_maps_go_with_their_captions(draw):
    maps = np.zeros((7, 96, 96))
    maps[5, :48] = 3
    third = blocks(draw(rows(*ALL), maps=maps))[2]
    patch, below, heat = (image.get_array() for image in third.images[6:])
    assert (np.asarray(patch) == 5).all()
    assert (np.asarray(below) == 5).all()
    assert np.asarray(heat)[:48].min() == 1 > np.asarray(heat)[48:].max()
    assert third.texts[2].get_text() == "probability 0.900, 25 % in the centre"


@pytest.mark.parametrize(("size", "corner", "side"), [(96, 1 / 3, 1 / 3), (224, 75 / 224, 74 / 224)])
def test_the_centre_is_outlined_on_both(draw, size, corner, side):
    figure = draw(rows((0, 0.1), (1, 0.9)), size)
    squares = [patch for patch in blocks(figure)[0].patches if isinstance(patch, Rectangle)]
    assert [square.get_x() for square in squares] == pytest.approx([corner, 1 + heat_maps.GAP + corner])
    assert squares[0].get_y() == pytest.approx(corner)
    assert squares[0].get_width() == pytest.approx(side)


def test_without_evidence_the_map_is_clear(draw):
    table = rows((0, 0.1), (1, 0.9)).assign(centre_share=[np.nan, 0.25])
    figure = draw(table, maps=np.zeros((2, 96, 96)))
    assert not np.asarray(blocks(figure)[0].images[2].get_alpha()).any()
    assert blocks(figure)[0].texts[0].get_text() == "probability 0.100"


def test_it_is_drawn_from_files(tmp_path, is_written):
    ids = ["007", "NA", "b"]
    np.save(tmp_path / "pack.npy", np.zeros((3, 96, 96, 3), np.uint8))
    pd.DataFrame({"id": ids, "row": [2, 0, 1]}).to_parquet(tmp_path / "index.parquet", index=False)
    table = rows((0, 0.1), (1, 0.9)).assign(id=["NA", "007"])
    table.to_csv(tmp_path / "confident.csv", index=False)
    np.save(tmp_path / "maps.npy", np.ones((2, 96, 96), np.float32))
    names = ("confident.csv", "maps.npy", "pack.npy", "index.parquet", "figure.png")
    heat_maps.heat_maps(*(str(tmp_path / name) for name in names), dpi=60)
    assert is_written()
