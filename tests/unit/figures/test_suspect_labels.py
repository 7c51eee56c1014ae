import numpy as np
import pandas as pd
import pytest

from histopatch.figures import suspect_labels


def ranked(count: int, **columns) -> pd.DataFrame:
    table = {"rank": range(1, count + 1), "id": [f"id{i}" for i in range(count)], "label": 0}
    return pd.DataFrame(table | {"probability": 0.98} | columns)


def shown(figure) -> list:
    return [axes for axes in figure.axes if axes.images]


@pytest.mark.parametrize("count", [1, 6, 24])
def test_each_patch_has_its_rank_label_probability_and_id(render, assert_inside, count):
    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((96, 96, 3), np.uint8)
    figure = render(suspect_labels.draw_suspect_labels, ranked(count), pixels)
    assert len(shown(figure)) == count
    last = shown(figure)[-1]
    assert (np.asarray(last.images[0].get_array()) == count - 1).all()
    assert last.get_title() == f"{count}: labelled negative\nprobability 0.980\nid{count - 1}"
    assert_inside(figure)


def test_a_long_id_is_shortened(render, assert_inside):
    pixels = np.zeros((2, 96, 96, 3), np.uint8)
    figure = render(suspect_labels.draw_suspect_labels, ranked(2, id=["f" * 40, "$a$"]), pixels)
    assert [axes.get_title().split("\n")[2] for axes in shown(figure)] == ["f" * 8 + "…" + "f" * 8, "$a$"]
    assert_inside(figure)


def test_that_nothing_is_suspect_is_said(render):
    figure = render(suspect_labels.draw_suspect_labels, ranked(0), np.zeros((0, 96, 96, 3), np.uint8))
    assert "No label is contradicted" in figure.axes[0].texts[0].get_text()


def test_it_is_drawn_from_files_and_shows_the_first_24(tmp_path, is_written, monkeypatch):
    np.save(tmp_path / "pack.npy", np.zeros((30, 32, 32, 3), np.uint8))
    table = ranked(30)
    table.to_csv(tmp_path / "table.csv", index=False)
    table.assign(row=range(30))[["id", "row"]].to_parquet(tmp_path / "index.parquet", index=False)
    names = ("table.csv", "pack.npy", "index.parquet", "figure.png")
    suspect_labels.suspect_labels(*(str(tmp_path / name) for name in names), dpi=60)
    assert is_written()
