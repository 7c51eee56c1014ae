import numpy as np
import pandas as pd
import pytest

from histopatch.figures import decision_curve
from histopatch.statistics import net_benefit

METRICS = {"on": "held-out patches", "patches": 400, "positive": 100}


@pytest.fixture
def table() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    labels = np.arange(400) % 4 == 0
    return net_benefit.decision_curve(labels, np.clip(generator.normal(0.2 + 0.5 * labels, 0.15), 0, 1))


def test_the_model_is_drawn_beside_treating_everybody_and_nobody(render, table, assert_inside):
    figure = render(decision_curve.draw_decision_curve, table, METRICS)
    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.lines}
    assert [*lines][:3] == ["the final model", "treat everybody", "treat nobody"]
    assert lines["the final model"].get_ydata().tolist() == table.net_benefit.tolist()
    assert lines["treat everybody"].get_ydata().tolist() == table.treat_all.tolist()
    low, high = axes.get_ylim()
    assert low < 0 < 0.25 < high  # no net benefit is beyond the share of positives
    assert_inside(figure)


def test_ticks_mark_where_the_model_is_better_than_both(render, table):
    figure = render(decision_curve.draw_decision_curve, table, METRICS)
    (ticks,) = [line for line in figure.axes[0].lines if line.get_marker() == "|"]
    expected = table[(table.net_benefit_low > 0) & (table.over_treat_all_low > 0)].threshold
    assert ticks.get_xdata().tolist() == expected.tolist() != []
    never = table.assign(over_treat_all_low=-1.0)
    figure = render(decision_curve.draw_decision_curve, never, METRICS)
    assert not [line for line in figure.axes[0].lines if line.get_marker() == "|"]


def test_mean_ranks_have_no_net_benefit(render, table):
    figure = render(decision_curve.draw_decision_curve, table[:0], METRICS)
    assert "no probabilities" in figure.axes[0].texts[0].get_text()


def test_it_is_drawn_from_files(tmp_path, table, is_written):
    table.to_csv(tmp_path / "curve.csv", index=False)
    (tmp_path / "metrics.json").write_text('{"measured": {"on": "x", "patches": 400, "positive": 100}}')
    paths = [str(tmp_path / name) for name in ("curve.csv", "metrics.json", "figure.png")]
    decision_curve.decision_curve(*paths, 60)
    assert is_written()
