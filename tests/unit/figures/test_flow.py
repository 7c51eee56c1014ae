import numpy as np
import pandas as pd
import pytest

from histopatch.figures import flow

COLUMNS = ["step", "reason", "count", "positive", "slides", "positive_slides"]
NAN = np.nan
IMAGES = [
    ("image", NAN, 1350, NAN, 36), ("image excluded", "near blank", 20, NAN, 4),
    ("image excluded", "image set aside: shape 50×50, not 96×96", 5, NAN, 2),
    ("label row", NAN, 1400, NAN, NAN), ("row excluded", "no image", 75, NAN, NAN),
    ("patch", NAN, 1325, 600, 35),
]  # fmt: skip
FOLDS = [
    ("fold 0", NAN, 530, 240, 14, 5), ("fold 1", NAN, 530, 240, 14, 6), ("held out", NAN, 265, 120, 7, 2),
]  # fmt: skip


def table(*rows) -> pd.DataFrame:
    return pd.DataFrame([row + (NAN,) * (len(COLUMNS) - len(row)) for row in rows], columns=COLUMNS)


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_counts_and_reasons_are_in_boxes(render, assert_inside):
    figure = render(flow.draw_flow, table(*IMAGES, *FOLDS), "main")
    shown = texts(figure)
    for words in (
        "1,350 images", "36 slides", "1,400 rows", "Excluded: 25",
        "20 near blank", "Excluded: 75", "75 no image",
        "1 slide with all patches", "1,325 patches", "600 positive", "Fold 1", "Held out", "265 patches",
        "7 slides, 2 positive",
    ):  # fmt: skip
        assert words in shown
    assert_inside(figure)


def test_without_folds_the_sides_are_training_and_validation(render):
    sides = [("training", NAN, 1000, 450, NAN), ("fold 0", NAN, 325, 150, NAN)]
    shown = texts(render(flow.draw_flow, table(*IMAGES, *sides), "main"))
    assert "Training" in shown
    assert "Validation" in shown


def test_many_folds_share_a_box(render, assert_inside):
    folds = [(f"fold {number}", NAN, 100 + number, 40, 3) for number in range(10)]
    figure = render(flow.draw_flow, table(*IMAGES, *folds, FOLDS[-1]), "main")
    assert {"10 folds", "100–109 patches each", "Held out"} <= {*texts(figure)}
    assert_inside(figure)


def test_many_reasons_are_added_up(render, assert_inside):
    reasons = [
        ("image excluded", f"reason {number} " + "long " * 10, 20 - number, NAN, 1) for number in range(12)
    ]
    figure = render(flow.draw_flow, table(IMAGES[0], *reasons, *IMAGES[3:], *FOLDS), "main")
    assert any(text.endswith("for 6 other reasons") for text in texts(figure))
    assert_inside(figure)


def test_nothing_excluded_is_drawn_too(render, assert_inside):
    figure = render(flow.draw_flow, table(IMAGES[0], IMAGES[3], IMAGES[5], *FOLDS), "main")
    assert texts(figure).count("Excluded: 0") == 2
    assert_inside(figure)


@pytest.mark.parametrize("name", ["main", "a$b$"])
def test_it_is_drawn_from_a_file(tmp_path, is_written, name):
    table(*IMAGES, *FOLDS).to_csv(tmp_path / "flow.csv", index=False)
    flow.flow(str(tmp_path / "flow.csv"), str(tmp_path / "figure.png"), 60, name)
    assert is_written()
