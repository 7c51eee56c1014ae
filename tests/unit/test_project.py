"""The files at the top of the repository agree with each other and with what the project promises."""

import importlib.metadata
import itertools
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from histopatch import config
from histopatch.data.formats.kaggle import SLIDE_MAP
from histopatch.experiment import Experiment, read_experiment
from histopatch.runs import Run, resolve

ROOT = Path(__file__).parents[2]
# torch pins these itself, other ones for other platforms; setuptools comes with the environment.
NOT_PINNED = re.compile(r"(nvidia|cuda)-.*|triton")


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    names = [canonicalize_name(requirement.name) for requirement in requirements]
    assert len(set(names)) == len(names)
    return {name: str(r.specifier).removeprefix("==") for name, r in zip(names, requirements, strict=True)}


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def ranges(project) -> list[Requirement]:
    extras = project["optional-dependencies"].values()
    return [Requirement(text) for text in itertools.chain(project["dependencies"], *extras)]


@pytest.fixture(scope="module")
def configured() -> dict:
    return config.load(yaml.safe_load((ROOT / "config.yaml").read_text()))["experiments"]


@pytest.fixture(scope="module")
def shipped(configured) -> dict[str, Experiment]:
    return {name: read_experiment(name, section) for name, section in configured.items()}


def test_requirements_are_exact_pins_and_no_addresses():
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line), line


def test_every_range_contains_its_pin(pins, ranges):
    for requirement in ranges:
        assert requirement.url is None
        pin = pins.get(canonicalize_name(requirement.name))
        assert pin, f"{requirement.name} is not pinned"
        assert requirement.specifier.contains(pin), f"{requirement} does not allow {pin}"


def test_every_range_has_both_ends(ranges):
    for requirement in ranges:
        operators = {specifier.operator for specifier in requirement.specifier}
        assert operators in ({">=", "<"}, {"=="}), requirement


def test_what_the_dependencies_need_is_pinned_too(pins, ranges):
    """A package that no pin names would be another one tomorrow."""
    seen, queue = set(), list(ranges)
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        if NOT_PINNED.fullmatch(name) or (name, *requirement.extras) in seen:
            continue
        seen.add((name, *requirement.extras))
        assert name in pins, f"{name} is not pinned"
        for text in importlib.metadata.requires(name) or []:
            needed = Requirement(text)
            extras = ["", *requirement.extras]
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                queue.append(needed)
    assert {name for name, *_ in seen} == set(pins), "pinned, but nothing needs it"


def test_conda_brings_a_python_in_range_and_the_same_pins(project):
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    packages = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    python = next(Requirement(text.replace("=", "==")) for text in packages if text.startswith("python"))
    version = str(python.specifier).removeprefix("==")
    assert SpecifierSet(project["requires-python"]).contains(version)
    installed = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert installed == [["--requirement requirements.txt"]]
    assert {Requirement(text.replace("=", "==")).name for text in packages} == {"python", "pip"}


def test_the_demo_needs_no_data_and_no_download(shipped):
    demo = shipped["demo"]
    assert yaml.safe_load((ROOT / "config.yaml").read_text())["experiment"] == "demo"
    assert demo.dataset.recipe
    for run in demo.runs.values():
        packaged = (run.settings.backbone, run.settings.weights) == ("efficientnet_lite0", "imagenet")
        assert packaged or run.settings.weights == "none"


def test_every_shipped_experiment_unfolds_into_runs(shipped):
    assert {"demo", "kaggle"} <= set(shipped)
    for experiment in shipped.values():
        assert experiment.runs


# What the settings of the notebook's study are, as backbone, lr, dropout, epochs, scheduler, pos_weight.
B0, B2, RESNET = "efficientnet_b0", "efficientnet_b2", "resnet18"
ENABLED = {
    "exploration": [
        (RESNET, 3e-4, 0.2, 2, "none", False),
        (B0, 3e-4, 0.2, 2, "none", False),
        (B0, 1e-4, 0.3, 2, "none", False),
    ],
    "baseline": [(B0, 3e-4, 0.2, 1, "none", False)],
    "architecture": [(RESNET, 3e-4, 0.2, 1, "none", False), (B0, 3e-4, 0.2, 1, "none", False)],
    "grid": [(B0, lr, dropout, 1, "none", True) for lr in (1e-4, 3e-4) for dropout in (0.2, 0.3)],
}
DISABLED = {
    "exploration": [(B2, 1e-4, 0.2, 2, "none", False)],
    "architecture": [(B2, 1e-4, 0.2, 2, "none", False)],
}
SHARED = {
    "image_size": 224,
    "batch_size": 64,
    "weight_decay": 1e-4,
    "weights": "imagenet",
    "augmentation": {"flips": True, "rotation": 90.0},
    "seed": 42,
    "precision": "auto",
    "freeze_backbone": False,
    "split": "main",
}


def facts(run: Run) -> tuple:
    keys = ("backbone", "lr", "dropout", "epochs", "scheduler", "pos_weight")
    return tuple(getattr(run.settings, key) for key in keys)


def test_kaggle_has_the_studies_of_the_notebook(shipped):
    assert set(shipped["kaggle"].studies) == {*ENABLED, "honesty"}


@pytest.mark.parametrize("slides", [False, True], ids=["by appearance", "by slide"])
def test_kaggle_shows_the_baseline_on_what_it_has_not_seen(configured, slides, tmp_path):
    """On other slides where their map lies beside the labels, on another appearance otherwise."""
    if slides:
        (tmp_path / SLIDE_MAP).write_text("id,wsi\na,s1\n")
    section = configured["kaggle"] | {"dataset": configured["kaggle"]["dataset"] | {"root": str(tmp_path)}}
    kaggle = read_experiment("kaggle", section)
    (baseline,) = kaggle.studies["baseline"].values()
    grouped = {"unseen": "slide" if slides else "appearance", "random_patches": "none"}
    assert set(kaggle.studies["honesty"]) == set(grouped)
    for name, run in kaggle.studies["honesty"].items():
        assert run.identity | {"split": "main"} == baseline.identity
        split = kaggle.split_of(run)
        assert (split.group_by, split.folds) == (grouped[name], 3)


@pytest.mark.parametrize("study", ENABLED)
def test_kaggle_has_the_settings_of_the_notebook(shipped, study):
    found = shipped["kaggle"].studies[study].values()
    assert sorted(map(facts, found)) == sorted(ENABLED[study])
    for run in found:
        assert vars(run.settings).items() >= SHARED.items()


@pytest.mark.parametrize("study", ENABLED)
def test_what_kaggle_has_disabled_is_what_the_notebook_had(configured, study):
    kaggle = configured["kaggle"]
    given = kaggle["studies"][study]
    disabled = [resolve(kaggle["defaults"], given["runs"][name]) for name in given["disabled"]]
    assert [facts(run) for run in disabled] == DISABLED.get(study, [])
    assert all(vars(run.settings).items() >= SHARED.items() for run in disabled)


def test_kaggles_final_model_is_the_best_of_the_grid_trained_longer(shipped):
    kaggle = shipped["kaggle"]
    notebook = {"study": "grid", "metric": "val_auc", "select": "best"}
    assert vars(kaggle.final).items() >= notebook.items()
    finals = kaggle.final_runs.values()
    expected = [(b, lr, dropout, 3, s, p) for b, lr, dropout, _, s, p in ENABLED["grid"]]
    assert sorted(map(facts, finals)) == sorted(expected)
    random = {"validation_fraction": 0.15, "seed": 42, "group_by": "none", "folds": 1, "held_out_fraction": 0}
    assert vars(kaggle.splits["main"]).items() >= random.items()


@pytest.fixture
def outside_make(monkeypatch):
    """A `make` of its own, also where the tests are run by `make test`."""
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (["experiment: demo\n"], "demo"),
        (["experiments: {}\nexperiment:   'demo'  # the first\n"], "demo"),
        (["experiment: demo\n", 'experiment: "2024_01"\n'], "2024_01"),
        (["experiment: demo\n", "experiments: {}\n"], "demo"),
    ],
)
def test_make_takes_the_experiment_that_the_last_file_names(tmp_path, outside_make, files, named):
    """So that `make run CONFIGS="config.yaml mine.yaml"` runs what Snakemake would."""
    paths = [tmp_path / f"{number}.yaml" for number in range(len(files))]
    for path, text in zip(paths, files, strict=True):
        path.write_text(text)
    told = f"--configfile {' '.join(map(str, paths))}"
    for target, option in (("run", "--config experiment="), ("status", "--experiment ")):
        command = ["make", "--dry-run", target, f"CONFIGS={' '.join(map(str, paths))}"]
        last = subprocess.check_output(command, cwd=ROOT, text=True).splitlines()[-1]
        assert last.endswith(f"{told} {option}{named}")


def test_make_names_a_configuration_file_that_is_not_there(outside_make):
    command = ["make", "--dry-run", "run", "CONFIGS=config.yaml none.yaml"]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    assert done.returncode
    assert "none.yaml: no such file; CONFIGS names the config files" in done.stderr
