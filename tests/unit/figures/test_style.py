import matplotlib
import pytest
from PIL import Image

from histopatch.figures import style


def test_figure_is_written_at_the_size_and_replaces_the_old_one(tmp_path):
    path = tmp_path / "deep" / "figure.png"
    path.parent.mkdir()
    path.write_text("old")
    with style.figure(path, dpi=80) as figure:
        figure.set_figheight(2)
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.size == (80 * style.WIDTH, 160)
    assert list(path.parent.iterdir()) == [path]


def test_nothing_is_written_when_drawing_fails(tmp_path):
    with pytest.raises(RuntimeError), style.figure(tmp_path / "figure.png", dpi=60):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_settings_of_matplotlib_are_left_as_they_were(tmp_path):
    before = dict(matplotlib.rcParams)
    with style.figure(tmp_path / "figure.png", dpi=60):
        assert matplotlib.rcParams["axes.grid"]
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.95, 0.98), (0.9911, 0.9912), (0.7, 0.7), (0.5, 0.99), (0.9990, 1.0), (0.0, 1.0)],
)
def test_zoomed_axis_holds_the_data_and_little_more(low, high):
    lower, upper = style.zoomed(low, high)
    assert max(lower, 0) <= low
    assert lower < low or low == 0
    assert high < upper < 1.1
    assert upper - lower <= 1.7 * max(high - low, 0.004)


def test_wrapped_breaks_after_the_commas_of_a_run_name():
    assert style.wrapped("lr=0.0001,dropout=0.2, scheduler=none", 24) == (
        "lr=0.0001, dropout=0.2,\nscheduler=none"
    )


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("lr = a_setting_with_a_long_name", ["lr =", "a_setting_with_a_", "long_name"]),
        ("freeze_backbone=true", ["freeze_", "backbone=true"]),
        ("a freeze_backbone", ["a freeze_backbone"]),
        ("x" * 40, ["x" * 18, "x" * 18, "x" * 4]),
    ],
)
def test_only_words_longer_than_a_line_are_broken_after_a_separator(text, lines):
    assert style.wrapped(text, 18).split("\n") == lines


def test_a_long_title_takes_no_height_from_the_axes(render, assert_inside):
    def draw(figure, title):
        figure.subplots()
        style.heading(figure, title)

    short, long = (render(draw, "title " * count) for count in (1, 60))
    assert long.get_suptitle().count("\n") >= 4
    heights = [figure.axes[0].get_window_extent().height for figure in (short, long)]
    assert heights[1] >= heights[0]
    assert_inside(long)


@pytest.mark.parametrize("words", ["short", "an entry of forty-two characters, a long one"])
def test_legends_have_as_many_columns_as_fit(render, words, assert_inside):
    def draw(figure):
        axes = figure.subplots()
        for i in range(6):
            axes.plot([0, 1], label=f"{words} {i}")
        style.legend_below(figure, axes)

    figure = render(draw)
    assert [text.get_text() for text in figure.legends[0].texts] == [f"{words} {i}" for i in range(6)]
    assert len(figure.legends) == 1
    lefts = {round(text.get_window_extent().x0) for text in figure.legends[0].texts}
    assert len(lefts) == (5 if words == "short" else 2)
    assert_inside(figure)


def test_a_message_stays_inside_the_page(render, assert_inside):
    figure = render(style.message, "nothing to draw " * 20)
    assert figure.axes[0].texts[0].get_text().split() == ["nothing", "to", "draw"] * 20
    assert_inside(figure)


@pytest.mark.input(
    "Slide map",
    "Slide names with dollars, backslashes or line ends, or of any length",
    "drawn as they are; of a long one the middle is left out",
)
@pytest.mark.parametrize("text", [r"$\frac{$", "a$b$c", "$", r"\$x$", "x" * 2000, "a\nb", "<b>", "日本"])
def test_a_name_from_the_data_can_be_drawn(render, text):
    def draw(figure):
        axes = figure.subplots()
        axes.set_yticks([0], [style.name(text)])
        axes.set_title(text[:50])  # where a text is no name, such as the value of a setting
        style.heading(figure, text[:50])

    render(draw)
    assert len(style.name(text)) <= 40


def test_long_names_that_differ_at_either_end_stay_apart():
    names = ["a" + "x" * 60, "b" + "x" * 60, "x" * 60 + "a"]
    assert len({style.name(text) for text in names}) == 3
    assert style.name("slide 1$") == "slide 1$"
