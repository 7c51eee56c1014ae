"""Configuration files that are wrong are one line, whichever way they come in; nothing is run before it."""

import shutil
from pathlib import Path

import pytest
from conftest import HERE, PROJECT, ROOT
from edits import append
from plan import RUN_COMMAND, snakemake
from test_commands import command
from test_errors import NOTICE

# Snakemake's own lines, which are no part of the refusal.
NOTICES = (NOTICE, "Config file config.yaml is extended by additional config specified via the command line.")
TWICE = "runtime: {workers: 1, workers: 2}\n"


@pytest.fixture
def bare(tmp_path) -> Path:
    """A project with neither data nor results."""
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, tmp_path / name)
    shutil.copy2(HERE / "config.yaml", tmp_path)
    return tmp_path


def refusal(project: Path, *arguments: str) -> str:
    """The one line that the plain command prints when it refuses to start."""
    status, output = snakemake(project, *RUN_COMMAND, *arguments)
    assert status == 1, output
    (line,) = [line for line in output.splitlines() if line not in NOTICES]
    return line


def test_a_key_twice_is_refused_in_the_projects_own_file(bare):
    append(bare / "config.yaml", "experiment: other\n")
    line = len((bare / "config.yaml").read_text().splitlines())
    told = f"Error: config.yaml, line {line}: the key 'experiment' is given twice, first in line 2; keep one"
    assert refusal(bare) == told
    assert command(bare, "status") == (1, f"{told}\n")


def test_a_key_twice_is_refused_in_a_file_that_is_given(bare):
    (bare / "mine.yaml").write_text(TWICE)
    told = "Error: mine.yaml, line 1: the key 'workers' is given twice, first in line 1; keep one"
    files = ("--configfile", "config.yaml", "mine.yaml")
    assert refusal(bare, *files) == told
    assert command(bare, "status", *files) == (1, f"{told}\n")


def test_a_file_that_is_no_yaml_is_named_before_snakemake_reads_it(bare):
    files = ("--configfile", "config.yaml", "mine.yaml")
    (bare / "mine.yaml").write_text("experiments: {}\n")
    assert command(bare, "check", *files) == (0, "")
    (bare / "mine.yaml").write_text("experiments:\n\tmine: {}\n")
    assert command(bare, "check", *files) == (1, "Error: mine.yaml, line 2: a tab; indent with spaces\n")


def test_broken_yaml_is_one_line_with_its_number(bare):
    (bare / "config.yaml").write_text("experiment: small\nexperiments: [\n")
    assert refusal(bare).startswith("Error: config.yaml, line 3: ")


def test_a_missing_file_is_one_line(bare):
    told = "Error: none.yaml: could not be read (No such file or directory)\n"
    assert command(bare, "status", "--configfile", "config.yaml", "none.yaml") == (1, told)
    (bare / "config.yaml").unlink()
    assert refusal(bare) == "Error: config.yaml: could not be read (No such file or directory)"


@pytest.mark.input("Configuration", "an experiment whose file is not given", "refused: how to give it")
def test_how_to_name_the_file_of_an_experiment_is_said(bare):
    line = refusal(bare, "--config", "experiment=mine")
    assert line.startswith("Error: experiment: there is no experiment 'mine'; choose one of small, other; ")
    assert line.endswith("--configfile config.yaml mine.yaml")
    status, output = command(bare, "status", "--experiment", "mine")
    assert status == 1
    assert output.count("\n") == 1
    assert 'CONFIGS="config.yaml mine.yaml"' in output
    assert "--configfile config.yaml mine.yaml" in output


def test_initial_weights_that_are_not_there_are_refused_before_any_job(bare):
    text = (bare / "config.yaml").read_text()
    (bare / "config.yaml").write_text(text.replace("weights: none", "weights: None", 1))
    assert refusal(bare).startswith(
        "Error: experiments.small.studies.named.bright.weights: 'None' is neither "
    )
