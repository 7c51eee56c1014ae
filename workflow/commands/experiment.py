"""What the commands share: which experiment they are asked about, from the same files as Snakemake."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml
from snakemake.utils import update_config

from histopatch.config import load
from histopatch.errors import InputError
from histopatch.experiment import Experiment, read_experiment


@dataclass
class Asked:
    """An experiment as a command is asked about it."""

    experiment: Experiment
    runtime: dict
    arguments: argparse.Namespace

    @property
    def results(self) -> Path:
        return Path("results", self.name)

    @property
    def name(self) -> str:
        return self.experiment.name


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
        name = config["experiment"]
        experiment = read_experiment(name, config["experiments"][name])
    except (InputError, FileNotFoundError) as error:
        sys.exit(f"Error: {error}")
    return Asked(experiment, config["runtime"], arguments)
