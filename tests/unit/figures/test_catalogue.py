"""A new figure is a function, a row and a caption: what a row has to agree with, and no more."""

import importlib
import inspect
import re
import shutil
import string
import subprocess
import sys

import pytest

from histopatch import fingerprints
from histopatch.figures.catalogue import FIGURES, EachFold
from histopatch.schema import read_schema

WORKFLOW = fingerprints.LIBRARY.parent
CAPTIONS = WORKFLOW / "report"
RULES = {path.name: path.read_text() for path in (WORKFLOW / "rules").glob("*.smk")}
EACH_FIGURE = pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)


def made_files() -> list[re.Pattern]:
    """The outputs of all rules, relative to the results of an experiment."""
    rules = "\n".join(RULES.values())
    blocks = re.findall(r"^    output:\n((?: {8}.*\n|\n)+)", rules, flags=re.MULTILINE)
    templates = re.findall(r'"results/\{experiment\}/(.*?)"', "\n".join(blocks))
    return [re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))) for template in templates]


def test_names_and_files_are_unique():
    assert (
        len({figure.name for figure in FIGURES}) == len({figure.file for figure in FIGURES}) == len(FIGURES)
    )


@EACH_FIGURE
def test_the_function_takes_what_the_row_gives(figure):
    module = importlib.import_module(f"histopatch.figures.{figure.module}")
    parameters = inspect.signature(getattr(module, figure.name)).parameters
    assert set(parameters) == {
        *figure.inputs, *figure.options, "path", "dpi", *(["name"] if figure.per else []),
    }  # fmt: skip


@EACH_FIGURE
def test_the_inputs_are_files_that_some_rule_makes(figure):
    made = made_files()
    for file in figure.inputs.values():
        path = f"runs/run/fold-0/{file}" if isinstance(file, EachFold) else file
        assert any(output.fullmatch(path) for output in made), file


@EACH_FIGURE
def test_the_options_are_in_the_schema(figure):
    for key in ("dpi", *figure.options.values()):
        node = read_schema()["$defs"]["figures"]
        for part in key.split("."):
            node = node["properties"][part]
        assert "default" in node


def test_every_option_of_the_schema_is_used():
    def keys(node, prefix=""):
        for key, child in node["properties"].items():
            yield from keys(child, f"{prefix}{key}.") if "properties" in child else [f"{prefix}{key}"]

    used = {key for figure in FIGURES for key in figure.options.values()}
    assert set(keys(read_schema()["$defs"]["figures"])) == used | {"dpi"}


@EACH_FIGURE
def test_only_the_study_or_split_that_a_figure_is_of_varies(figure):
    texts = (figure.label, figure.alt, figure.file, *figure.inputs.values())
    wildcards = {field for text in texts for _, field, *_ in string.Formatter().parse(text) if field}
    assert wildcards == ({figure.per} if figure.per else set())
    assert figure.per in (None, "study", "split")


def test_every_figure_has_a_caption_and_every_caption_a_figure_or_table():
    of_tables = {name for text in RULES.values() for name in re.findall(r'report/(\w+)\.rst"', text)}
    captions = {path.stem for path in CAPTIONS.glob("*.rst")}
    assert captions == of_tables | {figure.name for figure in FIGURES}


@EACH_FIGURE
def test_a_caption_is_one_paragraph_that_ends_as_a_sentence(figure):
    text = (CAPTIONS / f"{figure.name}.rst").read_text()
    assert re.fullmatch(r"[A-Z].*\.\n", text)


@EACH_FIGURE
def test_an_alternative_text_is_one_sentence(figure):
    assert re.fullmatch(r"[A-Z][^.]*(\d\.)?[^.]*\.", figure.alt)
    assert len(figure.alt) < 150


def digests(library) -> dict[str, str]:
    script = library.parent / "scripts/figure.py"
    return {
        figure.name: fingerprints.code(script, (f"figures.{figure.module}",), library) for figure in FIGURES
    }


def test_a_row_redraws_no_other_figure_and_a_drawing_function_only_those_of_its_module(tmp_path):
    before, row, drawing = tmp_path / "before", tmp_path / "row", tmp_path / "drawing"
    for folder in (before, row, drawing):  # digests are remembered by path
        for name in ("histopatch", "scripts"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(WORKFLOW / name, folder / name, ignore=ignored)
    with (row / "histopatch/figures/catalogue.py").open("a") as file:
        file.write("\nFIGURES += (Figure('another', 'curves', {}, DATA, 'another', 'Another.'),)\n")
    with (drawing / "histopatch/figures/curves.py").open("a") as file:
        file.write("\nANOTHER = True\n")
    old, edited = digests(before / "histopatch"), digests(drawing / "histopatch")
    assert digests(row / "histopatch") == old
    assert {name for name in old if edited[name] != old[name]} == {"roc", "precision_recall"}


def loaded(modules: set[str]) -> set[str]:
    """The modules that are loaded after an import of library modules in a process of its own."""
    names = ", ".join(f"histopatch.figures.{module}" for module in sorted(modules))
    code = f"import {names}\nimport sys\nprint(*sys.modules)"
    environment = {"PYTHONPATH": str(WORKFLOW)}
    return set(subprocess.check_output([sys.executable, "-c", code], env=environment, text=True).split())


def test_the_catalogue_imports_no_drawing_code():
    assert not loaded({"catalogue"}) & {"matplotlib", "numpy", "pandas"}


def test_drawing_imports_no_statistics_and_no_user_interface():
    names = loaded({figure.module for figure in FIGURES})
    assert "matplotlib.figure" in names
    assert not names & {"scipy", "sklearn", "torch", "torchvision", "timm", "matplotlib.pyplot"}
