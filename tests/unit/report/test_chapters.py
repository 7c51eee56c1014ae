from histopatch.figures.catalogue import DATA, FIGURES, FINAL_MODEL, STUDIES
from histopatch.report.chapters import CHAPTERS, GALLERIES, Picture, Words, figures, files


def test_every_category_of_figures_is_at_home_in_one_chapter():
    assert sorted(chapter.category for chapter in CHAPTERS if chapter.category) == [
        DATA,
        STUDIES,
        FINAL_MODEL,
    ]
    assert {figure.category for figure in FIGURES} <= {DATA, STUDIES, FINAL_MODEL}


def test_a_figure_that_a_chapter_names_is_in_the_catalogue_and_named_once():
    named = [block.figure for chapter in CHAPTERS for block in chapter.blocks if isinstance(block, Picture)]
    assert len({*named}) == len(named)
    assert {*named} <= {figure.name for figure in FIGURES} - GALLERIES


def test_figures_of_studies_and_splits_are_shown_for_each():
    shown = [(figure.name, name) for figure, name in figures(["one", "two"], ["main"])]
    assert [pair for pair in shown if pair[0] in ("study", "audit")] == [
        ("audit", "main"), ("study", "one"), ("study", "two"),
    ]  # fmt: skip
    assert ("roc", "") in shown


def test_the_files_are_those_that_the_blocks_and_figures_read():
    read = files(["one"], ["main"])
    assert len({*read}) == len(read)
    assert {"tables/summary.md", "final/errors.csv", "figures/study-one.png", "figures/roc.png"} <= {*read}
    assert "figures/heat_maps.png" not in read  # a gallery


def test_words_mean_a_title_or_all_that_begin_alike():
    assert Words("Data").names("Data") and not Words("Data").names("Data, more")
    assert Words(of="What helped").names("What helped in one")
    assert not Words(of="What helped").names("Data")
