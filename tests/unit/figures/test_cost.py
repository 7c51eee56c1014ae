import pytest
from matplotlib.colors import to_hex
from PIL import Image

from histopatch.figures import cost, style


def test_pareto_front_is_the_runs_that_none_beats(make_runs):
    runs = make_runs([0.90, 0.95, 0.94, 0.95, 0.97], train_seconds=[10, 20, 30, 40, 50])
    assert list(cost.pareto_front(runs).run) == ["run_0", "run_1", "run_4"]


def test_pareto_front_takes_the_better_of_two_equally_fast(make_runs):
    runs = make_runs([0.90, 0.95], train_seconds=[10, 10])
    assert list(cost.pareto_front(runs).run) == ["run_1"]


def test_cost_has_a_marker_per_run_and_a_colour_per_backbone(render, make_runs):
    backbones = ["resnet18", "efficientnet_b0", "resnet18", "efficientnet_b2"]
    runs = make_runs([0.97, 0.98, 0.96, 0.95], backbone=backbones)
    figure = render(cost.draw_cost, runs)
    axes = figure.axes[0]
    markers = {group.get_label(): group.get_offsets().tolist() for group in axes.collections}
    assert markers["resnet18"] == [[100, 0.97], [102, 0.96]]
    assert sum(map(len, markers.values())) == len(runs)
    assert len({to_hex(group.get_facecolor()[0]) for group in axes.collections}) == 3
    assert axes.lines[0].get_xydata().tolist() == [[100, 0.97], [101, 0.98]]
    names = ["efficientnet_b0", "efficientnet_b2", "resnet18", "Pareto front"]
    assert [text.get_text() for text in figure.legends[0].texts] == names
    assert not figure.legends[0].get_window_extent().overlaps(axes.get_tightbbox())
    assert axes.get_ylim()[0] > 0.9


def test_runs_on_easier_patches_are_hollow_and_not_on_the_front(render, make_runs):
    on = ["unseen slides", "unseen slides", "random patches"]
    runs = make_runs([0.90, 0.95, 0.99], train_seconds=[10, 20, 15], validated_on=on)
    figure = render(cost.draw_cost, runs)
    (axes,) = figure.axes
    assert axes.lines[0].get_xydata().tolist() == [[10, 0.90], [20, 0.95]]
    faces = [to_hex(face) for face in axes.collections[0].get_facecolor()]
    assert (faces[2], "#ffffff" in faces[:2]) == ("#ffffff", False)
    assert "hollow: on other patches" in [text.get_text() for text in figure.legends[0].texts]


def test_a_single_run_is_no_front(render, make_runs):
    figure = render(cost.draw_cost, make_runs([0.9]))
    assert not figure.axes[0].lines
    assert "Pareto front" not in [text.get_text() for text in figure.legends[0].texts]


def test_many_backbones_all_look_different(render, make_runs):
    backbones = [f"backbone_{i}" for i in range(20)]
    axes = render(cost.draw_cost, make_runs([0.9] * 20, backbone=backbones)).axes[0]
    looks = {
        (to_hex(group.get_facecolor()[0]), group.get_paths()[0].vertices.tobytes())
        for group in axes.collections
    }
    assert len(looks) == 20


@pytest.mark.parametrize(("slowest", "scale"), [(300.0, "linear"), (5000.0, "log")])
def test_time_axis_is_logarithmic_when_times_differ_much(render, slowest, scale, make_runs):
    runs = make_runs([0.98, 0.97], train_seconds=[100.0, slowest])
    axes = render(cost.draw_cost, runs).axes[0]
    assert axes.get_xscale() == scale
    assert "training time (s" in axes.get_xlabel()
    if scale == "log":
        assert "1,000" in [label.get_text() for label in axes.get_xticklabels()]


def test_cost_reads_its_table(tmp_path, make_runs):
    make_runs([0.98]).to_csv(tmp_path / "table.csv", index=False)
    cost.cost(tmp_path / "table.csv", tmp_path / "figure.png", 60)
    with Image.open(tmp_path / "figure.png") as image:
        assert image.size == (60 * style.WIDTH, 300)


def test_runs_that_failed_are_not_drawn(make_runs, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(cost, "draw_cost", lambda figure, runs: drawn.append([*runs.run]))
    make_runs([0.9, None], failed=[None, "no memory"]).to_csv(tmp_path / "table.csv", index=False)
    cost.cost(tmp_path / "table.csv", tmp_path / "figure.png", 60)
    assert drawn == [["run_0"]]
