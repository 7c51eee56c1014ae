"""Every command that a document gives is run, and every rule and file that it names is there.

A command that trains is planned instead, in a project with the shipped configuration and a data set where the
document says: other tests run the plan. What is not this project's, such as Kaggle's program, is only named.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import PROJECT, ROOT, write_data
from PIL import Image
from plan import snakemake
from test_formats import write_pcam

from histopatch.figures.catalogue import FIGURES

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAMS = ("make", "snakemake", "python")
FOREIGN = {"kaggle", "unzip", "conda", "hf"}
NAMES = {"make audit", "make predict"}  # of commands that need more
IN_A_CONTAINER = re.compile(r"^(podman run|apptainer exec) .*(?=snakemake )")
# Which targets of make run the workflow, look at results, or are run by those who develop.
PLANNED, LOOKING, TOOLS = (
    {"run", "report"},
    {"status", "disk", "prune", "verify", "audit", "predict"},
    {"test", "format", "bench"},
)


def commands() -> list[str]:
    """Each command of a block without a language, or between backticks, without its comment."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text()
        for block in re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            lines = [line.partition(" #")[0].strip() for line in block.splitlines()]
            found += [IN_A_CONTAINER.sub("", line) for line in lines]
        found += re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)
    first = {*PROGRAMS, *FOREIGN}
    found = {command for command in found if " " in command and command.split()[0] in first}
    return sorted(found - NAMES)


def of(*programs: str) -> list[str]:
    return [command for command in commands() if command.split()[0] in programs]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory) -> Path:
    """The project as it is cloned, data where the documents say, and an environment that `make` finds."""
    project = tmp_path_factory.mktemp("shipped")
    for name in (*PROJECT, "config.yaml", "Makefile", "requirements.txt", "benchmarks", "tests", "docs"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, project / name)
    add_environment(project)
    for name in ("histopathologic-cancer-detection", "mine", "sample"):
        write_data(project / "data" / name)
    write_pcam(project / "data/pcam", np.random.default_rng(0))
    for name in ("mine", "pcam"):
        (project / f"{name}.yaml").write_text(block_with(f"  {name}:\n    dataset:"))
    return project


def add_environment(project: Path) -> None:
    """The environment of the tests as `.venv`, up to date for `make`."""
    (project / ".venv").mkdir()
    for path in Path(sys.prefix).iterdir():
        if path.name != ".installed":
            (project / ".venv" / path.name).symlink_to(path)
    (project / ".venv/.installed").touch()


def block_with(start: str) -> str:
    """The only block of YAML in the documents that has this text."""
    texts = [path.read_text() for path in DOCUMENTS]
    (found,) = [b for t in texts for b in re.findall(r"```yaml\n(.*?)```", t, re.DOTALL) if start in b]
    return found


def call(project: Path, command: str) -> str:
    """What a command prints, which must end well."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(
        command, shell=True, cwd=project, env=environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def test_commands_are_found():
    found = commands()
    assert {"make run EXPERIMENT=kaggle", "snakemake --cores 1 --resources gpu=1", "make prune"} <= {*found}
    assert len(found) > 20


@pytest.mark.parametrize("command", of("snakemake"))
def test_snakemake_takes_the_command(command, shipped, finished, tmp_path, request):
    if "--report" in command:
        page = tmp_path / "snakemake.html"
        call(finished, command.replace("results/demo/snakemake.html", str(page)))
        assert page.is_file()
        return
    if "--snakefile" in command:
        assert "job" in call(request.getfixturevalue("looked_at"), planning(command))
        return
    (run, *_) = folders_of_the_demo(shipped)
    assert "job" in call(shipped, planning(command.replace("<folder of the run>", run)))


def planning(command: str) -> str:
    """A command of Snakemake that runs nothing."""
    return command.replace("snakemake ", "snakemake --dry-run ", 1)


def folders_of_the_demo(project: Path) -> list[str]:
    status, output = snakemake(project, "--dry-run", "--quiet", "host")
    assert status == 0, output
    return re.findall(r"results/demo/runs/([\w-]+)/fold-0", output)


@pytest.mark.parametrize("command", of("make"))
def test_make_takes_the_command(command, shipped, request):
    target = command.split()[1]
    if target in PLANNED:
        *_, planned = call(shipped, f"make --dry-run {command.removeprefix('make ')}").splitlines()
        assert "job" in call(shipped, planning(planned))
    elif target in TOOLS:
        lines = call(shipped, f"make --dry-run {target}").splitlines()
        for script in re.findall(r"python (\S+\.py)", "\n".join(lines)):
            assert (shipped / script).is_file()
    else:
        assert target in LOOKING
        assert call(request.getfixturevalue("looked_at"), command)


@pytest.fixture
def looked_at(project) -> Path:
    """A finished project with a `Makefile`, a split that was made elsewhere, and a copy of the model."""
    for name in ("Makefile", "requirements.txt"):
        shutil.copy2(ROOT / name, project / name)
    add_environment(project)
    shutil.copytree(project / "data/small/train", project / "folder")
    shutil.copytree(project / "results/small/final/model", project / "model")
    (project / "slides").mkdir()
    Image.new("RGB", (240, 200), "pink").save(project / "slides/one.png")
    split = pd.read_csv(project / "results/small/splits/main.csv")
    files = pd.DataFrame({"path": split.id + ".tif", "part": split.fold.astype(str)})
    files.to_csv(project / "theirs.csv", index=False)
    return project


@pytest.mark.parametrize("command", of("python"))
def test_python_takes_the_command(command, shipped):
    script, *arguments = shlex.split(command)[1:]
    if script.startswith("tests/"):
        assert "wrote" in call(shipped, command)
        return
    help_text = call(shipped, f"python {script} --help")
    for option in arguments:
        assert not option.startswith("--") or option in help_text


def test_the_page_on_the_notebook_names_rules_and_files(finished):
    texts = [path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk")]
    rules = {
        name for text in texts for name in re.findall(r"^(?:rule|checkpoint) (\w+):", text, re.MULTILINE)
    }
    rules |= {f"figure_{figure.name}" for figure in FIGURES}
    lines = (ROOT / "docs/notebook.md").read_text().splitlines()
    rows = [line.split(" | ") for line in lines if line.startswith("| ")][2:]
    assert len(rows) > 15
    for _, named, files, *_ in rows:
        assert {*re.findall(r"`(\w+)`", named)} <= rules
        for file in re.findall(r"`([^`]+)`", files):
            pattern = file.replace("<run>/", "*/")
            # The studies of the experiment `kaggle`; `small` has one like them.
            pattern = re.sub("exploration|baseline|architecture|grid", "named", pattern)
            assert [*(finished / "results/small").glob(pattern)] or (ROOT / pattern).exists(), file
