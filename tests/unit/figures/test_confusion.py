import numpy as np

from histopatch.figures import confusion, style


def test_confusion_has_a_matrix_per_point(render, points, assert_inside):
    figure = render(confusion.draw_confusion, points)
    matrices = figure.axes[:3]
    assert [axes.get_title().split("\n")[0] for axes in matrices] == [
        "95 % sensitivity",
        "95 % specificity",
        "Youden's J",
    ]
    first = matrices[0]
    assert {text.get_position(): text.get_text() for text in first.texts} == {
        (0, 0): "190\n95.0 %",
        (1, 0): "10\n5.0 %",
        (0, 1): "60\n20.0 %",
        (1, 1): "240\n80.0 %",
    }
    assert first.images[0].get_array().tolist() == [[0.95, 0.05], [0.2, 0.8]]
    assert first.images[0].get_clim() == (0, 1)
    for axis, name in ((first.xaxis, "predicted"), (first.yaxis, "true label")):
        assert axis.get_label_text() == name
        assert [label.get_text() for label in axis.get_ticklabels()] == ["positive", "negative"]
    assert "held-out patches (thresholds chosen on validation patches)" in figure.get_suptitle()
    assert_inside(figure)


def test_numbers_stand_out_from_their_cell(render, points):
    for axes in render(confusion.draw_confusion, points).axes[:3]:
        shares = axes.images[0].get_array()
        for text in axes.texts:
            column, row = text.get_position()
            assert text.get_color() == ("white" if shares[row, column] > 0.5 else style.INK)


def test_shares_with_intervals_stand_under_each_matrix(render, points):
    points.loc[2, ["ppv", "ppv_low", "ppv_high"]] = np.nan
    figure = render(confusion.draw_confusion, points)
    first, _, last = (axes.texts[0].get_text().split("\n") for axes in figure.axes[3:])
    assert first == [
        "sensitivity: 95.0 % (93.0–96.0)",
        "specificity: 80.0 % (78.0–81.0)",
        "PPV: 76.0 % (74.0–77.0)",
        "NPV: 96.0 % (94.0–97.0)",
    ]
    assert last[2] == "PPV: no patches"
    below, above = figure.axes[3].texts[0].get_window_extent(), figure.axes[0].get_tightbbox()
    assert not below.overlaps(above)
    assert above.x0 <= below.x0
    assert below.x1 <= above.x1


def test_large_counts_stay_inside_the_page_and_their_cell(render, points, assert_inside):
    counts = ["true_positives", "false_positives", "true_negatives", "false_negatives"]
    points[counts] *= 10_000
    figure = render(confusion.draw_confusion, points)
    for axes in figure.axes[:3]:
        cell = axes.get_window_extent().width / 2
        assert max(text.get_window_extent().width for text in axes.texts) < cell
    assert_inside(figure)


def test_confusion_reads_its_table(tmp_path, is_written, points):
    points.to_csv(tmp_path / "points.csv", index=False)
    confusion.confusion(tmp_path / "points.csv", tmp_path / "figure.png", 60)
    assert is_written()
