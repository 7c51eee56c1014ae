"""What it takes to make the same results again: what was asked for, made with what, on what, how long."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import yaml

from histopatch.evaluation.cost import duration
from histopatch.failures import finished


def configuration_file(experiment: str, section: dict) -> str:
    """A configuration file that asks for the experiment; section: of the configuration, as it is there."""
    return _yaml({"experiment": experiment, "experiments": {experiment: section}})


def settings_of_networks(reports: Sequence[str]) -> str:
    """The settings of each run of the final model, once for all of its folds; reports: its run.json files."""
    settings = [_yaml(json.loads(Path(report).read_text())["settings"]) for report in reports]
    return "---\n".join(dict.fromkeys(settings))


def _yaml(value) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)


def facts(experiment: str, reports: Sequence[str], runs: pd.DataFrame, commit: str | None) -> dict[str, str]:
    """What readers look for, by name, in Markdown.

    reports: the run.json of each network of the final model; runs: the table of all runs; commit: of the
    project, None if unknown.
    """
    networks = [json.loads(Path(report).read_text()) for report in reports]
    trained = finished(runs).drop_duplicates("folder")
    libraries = {
        f"{name} {version}" for network in networks for name, version in network["libraries"].items()
    }
    return {
        "command": f"`snakemake --cores 1 --resources gpu=1 --configfile mine.yaml --config "
        f"experiment={experiment}`, where `mine.yaml` holds the configuration below",
        "commit": commit or "not known: the project is not in a git repository of its own here",
        "versions": ", ".join(sorted(libraries)),
        "device": ", ".join(sorted({network["device"] for network in networks})),
        "precision": ", ".join(sorted({network["precision"] for network in networks})),
        "memory layout": ", ".join(sorted({network["layout"] for network in networks})),
        "seeds": ", ".join(map(str, sorted({*trained.seed, *(n["settings"]["seed"] for n in networks)}))),
        "final networks": f"{len(networks)}, trained in "
        f"{duration(sum(sum(network['seconds'].values()) for network in networks))} together",
        "runs of the studies": f"{len(trained)}, trained in {duration(trained.train_seconds.sum())} together",
    }


def commit_of(project: Path) -> str | None:
    """The commit of the project that this library is of, with a remark if its files were edited since.

    None outside of git, or in a repository that does not hold the project.
    """
    tracked = _git(project, "ls-files", "--error-unmatch", "Snakefile", "workflow/histopatch/__init__.py")
    head = _git(project, "rev-parse", "HEAD") if tracked else None
    if not head:
        return None
    edited = _git(project, "status", "--porcelain", "--", "Snakefile", "workflow")
    return f"{head} with edits that are not committed" if edited else head


def _git(project: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(project), *arguments], capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
