"""The command line that the commands share: an experiment, from the same configuration files as Snakemake."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from snakemake.utils import update_config

from histopatch.config import UnknownExperimentError, load
from histopatch.errors import one_line
from histopatch.experiment import Experiment, read_experiment
from histopatch.system import check_system
from histopatch.yaml_files import read_yaml

DEFAULT = [Path("config.yaml")]


@dataclass
class Request:
    """The experiment that a command works on, with the rest of the command line."""

    experiment: Experiment
    runtime: dict
    arguments: argparse.Namespace

    @property
    def results(self) -> Path:
        return Path("results", self.name)

    @property
    def name(self) -> str:
        return self.experiment.name

    @property
    def for_make(self) -> str:
        """What `make` has to be told to work on the same experiment, each part after a blank."""
        files, name = self.arguments.configfile, self.arguments.experiment
        told = f' CONFIGS="{" ".join(map(str, files))}"' if files != DEFAULT else ""
        return told + (f" EXPERIMENT={name}" if name else "")

    @property
    def for_snakemake(self) -> str:
        """What `snakemake` has to be told, likewise."""
        files, name = self.arguments.configfile, self.arguments.experiment
        told = f" --configfile {' '.join(map(str, files))}" if files != DEFAULT else ""
        return told + (f" --config experiment={name}" if name else "")


def parse(description: str, **flags: str) -> Request:
    """Parse the command line and load the configuration; exit with a one-line error if that fails.

    flags: further switches of the command, with their help texts.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--experiment", help="name of the experiment; by default the one that snakemake would run"
    )
    parser.add_argument("--configfile", nargs="+", default=DEFAULT, type=Path)
    for flag, meaning in flags.items():
        parser.add_argument(f"--{flag}", action="store_true", help=meaning)
    arguments = parser.parse_args()
    raw: dict = {}
    try:
        check_system()
        for path in arguments.configfile:
            update_config(raw, read_yaml(path))
        if arguments.experiment:
            raw["experiment"] = arguments.experiment
        config = load(raw)
        name = config["experiment"]
        experiment = read_experiment(name, config["experiments"][name])
    except UnknownExperimentError as error:
        given = 'with make CONFIGS="config.yaml mine.yaml", else --configfile config.yaml mine.yaml'
        sys.exit(f"Error: {error}; for one in a file of its own: {given}")
    except Exception as error:
        if line := one_line(error):
            sys.exit(f"Error: {line}")
        raise
    return Request(experiment, config["runtime"], arguments)
