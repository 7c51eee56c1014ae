"""The report of a finished project, opened in a real browser."""

import html
import json
import os
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml
from plan import config_of, experiment_of
from playwright.sync_api import expect, sync_playwright

from histopatch import config
from histopatch.files import read_table, write_table
from histopatch.report.chapters import CHAPTERS, files
from histopatch.report.page import write_report
from histopatch.report.sections import read_sections, to_html

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = (390, 1440)  # pixels: a phone and a desktop
EVIL = "<script>document.title = 'taken over'</script>"
LOADED = "image => image.complete && image.naturalWidth > 0"


def report_of(project: Path, path: Path) -> str:
    """Write the report of a project's results as they are."""
    asked = experiment_of(project)
    root = project / "results/small"
    final = json.loads((root / "final/best.json").read_text())["final_folder"]
    section = config.without_defaults(config.load(config_of(project))["experiments"]["small"])
    run_files = [str(root / file) for file in asked.run_files(final, "run.json")]
    write_report("small", str(root), [*asked.studies], [*asked.splits], run_files, section, str(path))
    return path.read_text()


@pytest.fixture(scope="session")
def written(finished, tmp_path_factory) -> str:
    """A report in which an id is a script."""
    project = tmp_path_factory.mktemp("report") / "project"
    shutil.copytree(finished, project)
    root = project / "results/small"
    held_out = pd.read_csv(root / "final/held_out_predictions.csv")
    evil = held_out.id[0]
    suspects = held_out.assign(rank=held_out.index + 1, slide="s1", part="held out")
    suspects.to_csv(root / "final/suspect_labels.csv", index=False)
    held_out.assign(call=1 - held_out.label, slide="s1").to_csv(root / "final/errors.csv", index=False)
    tables = [root / f"final/{name}.csv" for name in ("suspect_labels", "errors", "confident")]
    for path in [*tables, root / "pack/train.index.parquet"]:
        table = read_table(path)
        write_table(table.assign(id=table.id.replace(evil, EVIL)), path)
    report_of(project, project / "report.html")
    return str(project / "report.html")


@pytest.fixture(scope="session")
def browser():
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        missing = f"none of {', '.join(BROWSERS)} is installed"
        if os.environ.get("BROWSER_TESTS") == "required":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        # Without its sandbox, which root may not have; the page is our own.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def faults() -> list[str]:
    """Errors of scripts, and what was asked of the network, while a test has the report open."""
    return []


@pytest.fixture
def opened(browser, written, faults):
    """Open the report; fail at the end where there were faults."""
    contexts = []

    def open_page(width: int = 1440, scheme: str = "light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: message.type == "error" and faults.append(message.text))
        page.on(
            "request", lambda request: faults.append(request.url[:99]) if _is_outside(request.url) else None
        )
        page.goto(f"file://{written}")
        return page

    def _is_outside(url: str) -> bool:
        return not url.startswith("data:") and url != f"file://{written}"

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def table_of(page, title: str):
    """The first table below a heading."""
    return page.locator(f"h3:text-is('{title}') ~ .table >> nth=0").locator("table")


def column(table, number: int) -> list[str]:
    rows = table.locator("tbody tr:visible")
    return [row.locator("td").nth(number).inner_text() for row in rows.all()]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_pictures_load_and_nothing_overflows(opened, width, scheme):
    page = opened(width, scheme)
    images = page.locator("figure img")
    assert images.count() > 20
    assert images.evaluate_all(f"images => images.every({LOADED})")
    assert images.evaluate_all("images => images.every(image => image.alt.length > 10)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    beyond = page.locator("main :not(.table, .table *)").evaluate_all(
        f"all => all.filter(each => each.getBoundingClientRect().right > {width}).map(each => each.outerHTML)"
    )
    assert beyond == []


def test_light_and_dark_have_their_colours_and_enough_contrast(opened):
    colours = "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    for scheme, dark_paper in (("light", False), ("dark", True)):
        paper, ink = (
            sum(map(int, re.findall(r"\d+", colour)[:3])) / 3
            for colour in opened(scheme=scheme).evaluate(colours)
        )
        assert (paper < 60) == dark_paper
        assert abs(paper - ink) > 170


def test_a_click_on_a_header_sorts_by_number_and_another_turns_it_round(opened):
    table = table_of(opened(), "All runs")
    header = table.locator("th", has_text="validation AUROC")
    place = [*table.locator("th").all_inner_texts()].index(header.inner_text())
    header.locator("button").click()
    ascending = [float(cell) for cell in column(table, place)]
    assert ascending == sorted(ascending)
    assert len({*ascending}) > 1
    expect(header).to_have_attribute("aria-sort", "ascending")
    header.locator("button").click()
    assert [float(cell) for cell in column(table, place)] == ascending[::-1]


@pytest.mark.parametrize(
    "ascending",
    [
        ["-2", "0.5 (0.1–0.9)", "12%", "1,350"],
        ["b", "lr=1e-12", "lr=0.0005", "lr=0.002", "lr=0.01", "run2", "run10"],
    ],
    ids=["numbers", "words"],
)
def test_cells_sort_by_what_they_mean_and_missing_ones_stay_last(opened, ascending):
    page = opened()
    page.evaluate(
        """cells => { const div = document.createElement('div'); div.className = 'table';
        div.innerHTML = '<table><thead><tr><th>x</th></tr></thead><tbody>' +
          cells.map(cell => `<tr><td>${cell}</td></tr>`).join('') + '</tbody></table>';
        document.querySelector('main').append(div); makeSortable(div.querySelector('table')); }""",
        ["–", *sorted(ascending)],
    )
    table = page.locator("main > .table table")
    for expected in (ascending, ascending[::-1]):
        table.locator("button").click()
        assert column(table, 0) == [*expected, "–"]


def test_a_table_is_filtered_by_words(opened):
    page = opened()
    table = table_of(page, "All runs")
    field = page.locator("h3:text-is('All runs') ~ label.tools >> nth=0")
    field.locator("input").fill("RATE lr=0.0001")
    assert column(table, 1) == ["lr=0.0001"]
    expect(field.locator("output")).to_have_text("1 of 6 rows")
    field.locator("input").fill("")
    assert len(column(table, 1)) == 6


def test_an_id_that_is_a_script_shows_as_text(opened):
    page = opened()
    assert page.title() == "small: report"
    assert page.locator("script").count() == 1
    assert EVIL in page.locator(".gallery .id").all_inner_texts()
    assert EVIL in column(table_of(page, "Misclassified patches, the most confident mistakes first"), 0)


def test_a_script_that_got_in_would_not_run(opened, faults):
    """The page names the one script that may run, so that an oversight elsewhere does no harm."""
    page = opened()
    blocked = page.evaluate(
        """() => new Promise(done => {
        addEventListener('securitypolicyviolation', event => done(event.violatedDirective));
        const script = document.createElement('script'); script.textContent = "document.title = 'taken over'";
        document.body.append(script); setTimeout(() => done('ran'), 2000); })"""
    )
    assert blocked.startswith("script-src")
    assert page.title() == "small: report"
    (said,) = faults
    assert "Content Security Policy" in said
    faults.clear()


def test_a_patch_opens_enlarged_and_a_figure_at_its_full_size(opened):
    page = opened(390)
    dialog = page.locator("dialog")
    patch = page.locator(".gallery img").first
    patch.click()
    assert dialog.locator("img").evaluate("image => [image.width, image.naturalWidth]") == [480, 96]
    dialog.locator("button").click()
    expect(dialog).to_be_hidden()
    figure = page.locator(".chart img").first
    figure.focus()
    page.keyboard.press("Enter")
    width, natural = dialog.locator("img").evaluate("image => [image.width, image.naturalWidth]")
    assert width == natural > 390


def test_it_prints(opened, tmp_path):
    page = opened()
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    content = (tmp_path / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) >= 5


# --- what it says, without a browser ----------------------------------------------------------------


@pytest.fixture
def results(finished) -> Path:
    return finished / "results/small"


def test_the_ordinary_run_writes_it(results):
    page = (results / "report.html").read_text()
    assert "<h1>small</h1>" in page
    for chapter in CHAPTERS:
        assert f"<h2>{chapter.title}</h2>" in page


def test_it_shows_every_figure_and_every_section_of_the_summary(results):
    page = (results / "report.html").read_text()
    figures = [file for file in files(["named", "rate"], ["main", "crossed"]) if file.endswith(".png")]
    assert page.count('<figure class="chart">') == len(figures)
    for section in read_sections((results / "tables/summary.md").read_text()):
        assert to_html(section.text) in page, section.title


def test_its_numbers_are_those_of_the_tables(results):
    page = (results / "report.html").read_text()
    measured = json.loads((results / "final/metrics.json").read_text())["measured"]
    assert f"with an AUROC of {measured['auc']:.4f}" in page
    for row in pd.read_csv(results / "tables/runs.csv").itertuples():
        assert f"<td>{row.final_val_auc:.4f}</td>" in page


def test_what_no_chapter_names_is_shown_all_the_same(project, tmp_path):
    summary = project / "results/small/tables/summary.md"
    text = summary.read_text()
    assert "### Calibration" in text
    added = text.replace("### Calibration", "### Something new\n\nA new sentence.\n\n### Calibration")
    summary.write_text(added)
    page = report_of(project, tmp_path / "report.html")
    chosen = page.split("<h2>The chosen model</h2>")[1].split("<h2>")[0]
    assert re.search(r"<h3>Something new</h3>\s*<p>A new sentence.</p>", chosen)


def test_the_configuration_in_it_asks_for_the_same_experiment(results, finished):
    page = (results / "report.html").read_text()
    given = re.search(r"<summary>Configuration</summary>\n<pre>(.*?)</pre>", page, re.DOTALL)[1]
    read = config.load(yaml.safe_load(html.unescape(given)))
    assert read["experiments"]["small"] == config.load(config_of(finished))["experiments"]["small"]
