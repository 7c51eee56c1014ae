"""What says how the workflow is called beyond one machine names what the workflow has."""

import re
from pathlib import Path

import pytest
import yaml

from histopatch.figures.catalogue import FIGURES

ROOT = Path(__file__).parents[2]
RULES = "\n".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
# Each rule with its text; one that starts with `use rule` takes the resources of another.
BLOCKS = re.findall(r"^(?:rule|checkpoint) (\w+):\n(.*?)(?=^\S|\Z)", RULES, re.MULTILINE | re.DOTALL)
DERIVED = dict(re.findall(r"^use rule (\w+) as (\w+) with:", RULES, re.MULTILINE))
NAMES = {name for name, _ in BLOCKS} | {*DERIVED.values()} | {f"figure_{figure.name}" for figure in FIGURES}
PROFILES = {path.parent.name: path for path in sorted((ROOT / "profiles").glob("*/config.yaml"))}


def uses_gpu() -> set[str]:
    """The rules that ask for a GPU."""
    found = {name for name, text in BLOCKS if re.search(r"^\s+gpu=", text, re.MULTILINE)}
    return found | {new for old, new in DERIVED.items() if old in found}


@pytest.mark.parametrize("path", PROFILES.values(), ids=PROFILES)
def test_a_profile_names_rules_that_exist(path):
    """Snakemake passes over those that do not."""
    profile = yaml.safe_load(path.read_text())
    assert {*profile.get("set-resources", {})} | {*profile.get("set-threads", {})} <= NAMES


def test_on_slurm_all_that_uses_a_gpu_has_cores_memory_and_time():
    profile = yaml.safe_load(PROFILES["slurm"].read_text())
    assert uses_gpu() == {*profile["set-threads"]} == {*profile["set-resources"]} - {"pack", "pack_shard"}


@pytest.fixture(scope="module")
def containerfile() -> str:
    return (ROOT / "Containerfile").read_text()


def test_the_image_takes_from_the_project_what_is_not_ignored(containerfile):
    copied = {
        source
        for line in re.findall(r"^COPY (.*) \S+$", containerfile, re.MULTILINE)
        for source in line.split()
    }
    ignored, *exceptions = [
        line for line in (ROOT / ".containerignore").read_text().splitlines() if not line.startswith("#")
    ]
    assert (ignored, {*exceptions}) == ("*", {f"!{source}" for source in copied})
    assert all((ROOT / source).exists() for source in copied)


def test_the_job_of_kubernetes_uses_what_it_asks_for(containerfile):
    job = yaml.safe_load((ROOT / "profiles/kubernetes.yaml").read_text())
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    program, *arguments = container["command"]
    asked = dict(zip(arguments[::2], arguments[1::2], strict=True))
    assert program == "snakemake"
    assert int(asked["--cores"]) == container["resources"]["requests"]["cpu"]
    assert asked["--resources"] == f"gpu={container['resources']['limits']['nvidia.com/gpu']}"
    (mount,) = container["volumeMounts"]
    assert f"WORKDIR {mount['mountPath']}\n" in containerfile
    assert [mount["name"]] == [volume["name"] for volume in pod["volumes"]]
