import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle
from PIL import Image

from histopatch.figures import examples, style


def write_patches(folder, count):
    """Patches of one grey each, their row in the pack; every third is positive."""
    pack = np.zeros((count, 64, 64, 3), np.uint8)
    pack[:] = np.arange(count)[:, None, None, None]
    np.save(folder / "pack.npy", pack)
    ids = [f"{i:03d}" for i in range(count)]
    # The tables are in another order than the pack, so a row is not a position in a table.
    index = pd.DataFrame({"id": ids, "row": range(count), "file": "x"})[::-1]
    index.to_parquet(folder / "index.parquet", index=False)
    labels = pd.DataFrame({"id": ids, "label": [int(i % 3 == 0) for i in range(count)]})
    labels.sample(frac=1, random_state=1).to_csv(folder / "labels.csv", index=False)


def test_examples_come_from_their_class(tmp_path, monkeypatch):
    write_patches(tmp_path, 60)
    drawn = {}
    monkeypatch.setattr(examples, "draw_examples", lambda figure, patches: drawn.update(patches))
    inputs = [tmp_path / name for name in ("pack.npy", "index.parquet", "labels.csv")]
    examples.examples(*inputs, tmp_path / "figure.png", per_class=8, seed=0, dpi=60)
    rows = {label: set(block[:, 0, 0, 0].tolist()) for label, block in drawn.items()}
    assert {label: len(chosen) for label, chosen in rows.items()} == {0: 8, 1: 8}
    assert all(row % 3 for row in rows[0])
    assert not any(row % 3 for row in rows[1])


def test_examples_are_written(tmp_path):
    write_patches(tmp_path, 9)
    inputs = [tmp_path / name for name in ("pack.npy", "index.parquet", "labels.csv")]
    examples.examples(*inputs, tmp_path / "figure.png", per_class=4, seed=0, dpi=60)
    with Image.open(tmp_path / "figure.png") as image:
        assert image.width == 60 * style.WIDTH


def test_choice_follows_the_seed_and_takes_all_of_a_small_class():
    labelled = pd.DataFrame({"label": [0] * 50 + [1] * 3, "row": range(53)})
    first = examples.choose_examples(labelled, 5, seed=1)
    again = examples.choose_examples(labelled, 5, seed=1)
    other = examples.choose_examples(labelled, 5, seed=2)
    assert first[0].tolist() == again[0].tolist() != other[0].tolist()
    assert sorted(first[1]) == [50, 51, 52]


def squares(axes):
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def test_examples_are_two_labelled_blocks_with_the_centre_outlined(render):
    blocks = {0: np.full((12, 96, 96, 3), 10, np.uint8), 1: np.full((5, 96, 96, 3), 20, np.uint8)}
    negative, positive = render(examples.draw_examples, blocks).axes
    assert (negative.get_title(), positive.get_title()) == ("negative (0)", "positive (1)")
    for axes, block in ((negative, blocks[0]), (positive, blocks[1])):
        sheet = axes.images[0].get_array()
        assert (sheet == block[0, 0, 0, 0]).sum() == block.size
        assert len(squares(axes)) == len(block)
    # Pixels 32 to 63 of the first patch, edge to edge.
    assert squares(negative)[0].get_bbox().extents.tolist() == [31.5, 31.5, 63.5, 63.5]


def test_patches_may_have_any_shape(render):
    patches = np.full((3, 40, 70, 3), 10, np.uint8)
    figure = render(examples.draw_examples, {0: patches, 1: patches})
    assert squares(figure.axes[0])[0].get_bbox().extents.tolist() == [22.5, 12.5, 46.5, 26.5]
    assert figure.get_suptitle() == "Random patches of 70×40 pixels, with their central third outlined"
