"""What the commands share: which experiment they are asked about, from the same files as Snakemake."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml
from snakemake.utils import update_config

from histopatch.config import load
from histopatch.errors import InputError


@dataclass
class Asked:
    """An experiment as a command is asked about it."""

    name: str
    experiment: dict
    runtime: dict
    arguments: argparse.Namespace

    @property
    def results(self) -> Path:
        return Path("results", self.name)

    @property
    def data(self) -> Path:
        """The folder with the experiment's images."""
        return Path(self.experiment["dataset"].get("root", self.results / "source"))


def parse(description: str, **flags: str) -> Asked:
    """Parse the command line and load the configuration; ends with one line where something is wrong.

    flags: further switches of the command and what they do.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--experiment", help="its name; by default the one that snakemake would run")
    parser.add_argument("--configfile", nargs="+", default=[Path("config.yaml")], type=Path)
    for flag, meaning in flags.items():
        parser.add_argument(f"--{flag}", action="store_true", help=meaning)
    arguments = parser.parse_args()
    raw: dict = {}
    try:
        for path in arguments.configfile:
            update_config(raw, yaml.safe_load(path.read_text()))
        if arguments.experiment:
            raw["experiment"] = arguments.experiment
        config = load(raw)
    except (InputError, FileNotFoundError) as error:
        sys.exit(f"Error: {error}")
    name = config["experiment"]
    return Asked(name, config["experiments"][name], config["runtime"], arguments)
