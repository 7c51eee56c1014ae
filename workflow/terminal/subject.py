"""What a call of a workflow is about, as the terminal tells of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from histopatch.experiment import Experiment
from histopatch.words import job_in_words


class Subject(Protocol):
    """What is run."""

    name: str
    goes_on: str  # what stays of a job that is interrupted, added to a sentence; or nothing

    def words(self, rule: str, wildcards: Mapping[str, str]) -> str:
        """What a job does."""

    def epochs(self, wildcards: Mapping[str, str]) -> int:
        """The epochs of a training."""

    def start_with(self) -> list[Path]:
        """The files that are worth a look in the end, the first one first."""


class ExperimentRun:
    """The run of an experiment, which is one of several that the configuration names."""

    goes_on = ", and a training goes on after its last finished epoch"

    def __init__(self, experiments: Mapping[str, Experiment], asked: str):
        self.experiments, self.name = experiments, asked

    def words(self, rule: str, wildcards: Mapping[str, str]) -> str:
        return job_in_words(rule, wildcards, self.experiments[wildcards.get("experiment", self.name)])

    def epochs(self, wildcards: Mapping[str, str]) -> int:
        if "epochs" in wildcards:
            return int(wildcards["epochs"])
        return self.experiments[wildcards["experiment"]].runs[wildcards["run"]].settings.epochs

    def start_with(self) -> list[Path]:
        files = ("report.html", "tables/summary.md", "submission.csv")
        return [Path("results", self.name, file) for file in files]
