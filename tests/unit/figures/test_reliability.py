import pandas as pd
import pytest

from histopatch.figures import reliability


def lines(axes):
    return {line.get_label(): line for line in axes.lines}


@pytest.fixture
def table():
    """Two bins before calibration, off by 0.1 and 0.2, and three after, of which one is off by 0.1."""
    before = [(0.0, 0.1, 0.05, 0.15, 3000), (0.9, 1.0, 0.95, 0.75, 1000)]
    after = [(0.0, 0.1, 0.05, 0.05, 2000), (0.5, 0.6, 0.55, 0.65, 500), (0.9, 1.0, 0.95, 0.95, 1500)]
    rows = [
        {
            "calibration": name,
            "recalibration_intercept": intercept,
            "recalibration_slope": slope,
            "ece": error,
            "fitted_on": "validation patches",
            "reported_on": "held-out patches",
            "bin": 0,
            "above": above,
            "up_to": up_to,
            "patches": patches,
            "mean_probability": probability,
            "positive_share": share,
            "positive_share_low": share - 0.04,
            "positive_share_high": share + 0.02,
        }
        for name, intercept, slope, error, bins in (
            ("before", 0.0, 1.0, 0.125, before),
            ("after", -2.197, 0.667, 0.0125, after),
        )
        for above, up_to, probability, share, patches in bins
    ]
    return pd.DataFrame(rows)


def test_reliability_has_a_dot_per_bin_against_the_diagonal(render, table, assert_inside):
    figure = render(reliability.draw_reliability, table)
    before, after, *_ = figure.axes
    for axes, dots in (
        (before, [[0.05, 0.15], [0.95, 0.75]]),
        (after, [[0.05, 0.05], [0.55, 0.65], [0.95, 0.95]]),
    ):
        assert lines(axes)["perfect calibration"].get_xydata().tolist() == [[0, 0], [1, 1]]
        assert lines(axes)["bin of patches"].get_xydata().tolist() == dots
        ends = [segment[:, 1].tolist() for segment in axes.collections[0].get_segments()]
        assert ends == [pytest.approx([share - 0.04, share + 0.02]) for _, share in dots]
        assert axes.get_xlim() == axes.get_ylim() == (-0.02, 1.02)
    assert_inside(figure)


def test_reliability_tells_the_error_and_the_recalibration(render, table):
    figure = render(reliability.draw_reliability, table)
    before, after, *_ = figure.axes
    title = " ".join(figure.get_suptitle().split())
    assert "held-out patches (recalibration fitted on validation patches)" in title
    assert before.get_title() == "Before recalibration\nexpected calibration error 0.1250"
    assert after.get_title() == (
        "After recalibration\nintercept −2.20, slope 0.67\nexpected calibration error 0.0125"
    )


def test_the_strip_below_counts_the_patches(render, table):
    *_, before, after = render(reliability.draw_reliability, table).axes
    bars = [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in before.patches]
    assert bars == [pytest.approx(bar) for bar in ((0, 0.1, 3000), (0.9, 0.1, 1000))]
    assert [bar.get_height() for bar in after.patches] == [2000, 500, 1500]
    assert before.get_yscale() == after.get_yscale() == "log"
    assert before.get_ylim() == after.get_ylim()
    assert before.get_ylim()[0] < 1  # a bin of one patch has a bar


def test_reliability_reads_its_table(tmp_path, is_written, table):
    table.to_csv(tmp_path / "table.csv", index=False)
    reliability.reliability(tmp_path / "table.csv", tmp_path / "figure.png", 60)
    assert is_written()


def test_few_patches_have_plain_numbers_beside_them(table, render, assert_inside):
    figure = render(reliability.draw_reliability, table.assign(patches=table.patches // 500))
    assert_inside(figure)


def test_mean_ranks_are_not_calibrated(render, table):
    figure = render(reliability.draw_reliability, table[:0])
    assert "no probabilities" in figure.axes[0].texts[0].get_text()
