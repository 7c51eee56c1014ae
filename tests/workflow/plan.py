"""Runs Snakemake in a project and reads which jobs it would run, or did run, and why."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from histopatch import config
from histopatch.experiment import Experiment, read_experiment

RUN_COMMAND = ("--resources", "gpu=1", "--cores", "1")

# What is read from the runs' results, the choice of the winner included.
AGGREGATION = {
    "compare", "study", "seeds", "effects", "choice", "figure_study", "figure_top_runs", "figure_cost",
    "figure_effects", "best",
}  # fmt: skip
SUBGROUPS = {"subgroups", "figure_subgroups"}
PERFORMANCE = {
    "figure_roc", "figure_precision_recall", "figure_confusion", "figure_reliability",
    "figure_decision_curve", "figure_abstaining",
    "figure_auc_by_group", *SUBGROUPS,
}  # fmt: skip
MODEL = {"export", "model_card"}
EXPLANATION = {"figure_heat_maps", "figure_attribution"}
LABEL_ERRORS = {"label_errors", "figure_suspect_labels"}
# What is made of the winner. While the choice is pending, a dry run knows of no final training and shows
# all of this as pending, whatever the choice turns out to be.
FINAL = {
    "final_metrics", "predict_held_out", "predict_test", "submission", "figure_learning_curves", "summary",
    "errors", "explain", "checklists", *EXPLANATION, *PERFORMANCE, *LABEL_ERRORS, *MODEL,
}  # fmt: skip
# What is made of a split, besides the trainings; where the audits say anything new, so does the summary.
AUDIT = {"audit", "verdict", "figure_audit"}
FLOW = {"flow", "figure_flow"}
# What is made of the train images and needs no labels.
AUGMENTATION = {"augmentation", "figure_augmentation"}
# What is made of the clean labels.
EXPLORATION = {
    "class_balance", "giveaways", "rgb_histograms",
    "figure_class_balance", "figure_examples", "figure_rgb_histograms",
}  # fmt: skip
FIGURES = {
    "figure_class_balance", "figure_examples", "figure_rgb_histograms", "figure_augmentation", "figure_audit",
    "figure_flow", "figure_suspect_labels",
    "figure_study", "figure_top_runs", "figure_cost", "figure_effects", "figure_learning_curves",
    *PERFORMANCE, *EXPLANATION,
} - {"subgroups"}  # fmt: skip

_JOB = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):$")
_FIELD = re.compile(r"^    (\w+): (.*)$")


@dataclass
class Job:
    rule: str
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def outputs(self) -> set[str]:
        return set(self.fields.get("output", "").split(", "))

    @property
    def wildcards(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for pair in self.fields.get("wildcards", "").split(", ") if pair)


@dataclass(frozen=True)
class Plan:
    """The jobs of one call, without the target rule."""

    jobs: list[Job]

    @property
    def rules(self) -> set[str]:
        return {job.rule for job in self.jobs}

    @property
    def known(self) -> set[str]:
        """The rules, without those that wait for the choice of the winner."""
        return self.rules - (FINAL if "best" in self.rules else set())

    @property
    def edited(self) -> set[str]:
        """The rules whose own params changed; those below a rule that runs anyway need not show it."""
        return {job.rule for job in self.jobs if "Params have changed" in job.fields["reason"]}

    @property
    def trainings(self) -> set[str]:
        """The folders of the runs that are trained."""
        return {job.wildcards["run"] for job in self.jobs if job.rule == "train"}

    @property
    def outputs(self) -> set[str]:
        return set().union(*(job.outputs for job in self.jobs))

    def count(self, rule: str) -> int:
        return sum(job.rule == rule for job in self.jobs)


def start(project: Path, *arguments: str) -> subprocess.Popen:
    """Start Snakemake in a project with the interpreter of the tests."""
    command = [sys.executable, "-m", "snakemake", *arguments]
    # The tests may run inside of a job or with settings of their own; the project brings what it needs.
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "SNAKEMAKE_PROFILE")}
    return subprocess.Popen(
        command, cwd=project, env=environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def snakemake(project: Path, *arguments: str) -> tuple[int, str]:
    """Call Snakemake in a project; return its exit status and what it printed."""
    process = start(project, *arguments)
    output, _ = process.communicate(timeout=600)
    return process.returncode, output


def plan(project: Path, *arguments: str) -> Plan:
    """What the plain command would do."""
    status, output = snakemake(project, "--dry-run", *arguments)
    assert status == 0, output
    return _plan(output)


def run(project: Path, *arguments: str) -> Plan:
    """What the plain command did."""
    status, output = snakemake(project, *RUN_COMMAND, *arguments)
    assert status == 0, output
    return _plan(last_log(project))


def last_log(project: Path) -> str:
    """What Snakemake itself has to say of the last call that ran jobs."""
    return max((project / ".snakemake/log").iterdir()).read_text()


def _plan(output: str) -> Plan:
    jobs = read_jobs(output)
    # A change of the format must not read as an empty plan.
    assert jobs or "Nothing to be done" in output, output
    jobs = [job for job in jobs if job.rule != "all"]
    # Nearly everything is in the report, so only where it alone is written is that worth telling.
    return Plan([job for job in jobs if job.rule != "report"] or jobs)


def read_jobs(output: str) -> list[Job]:
    jobs: list[Job] = []
    for line in output.splitlines():
        if match := _JOB.match(line):
            jobs.append(Job(match[1]))
        elif jobs and (match := _FIELD.match(line)):
            jobs[-1].fields.setdefault(match[1], match[2])
    return jobs


def folders(project: Path, *names: str, experiment: str = "small") -> set[str]:
    """The folders of runs, each named as `study/run`, or of the final run of one as `final of study/run`."""
    read = experiment_of(project, experiment)
    found = set()
    for name in names:
        study, run_name = name.removeprefix("final of ").split("/")
        folder = read.studies[study][run_name].folder
        found.add(read.final_runs[folder].folder if name.startswith("final of ") else folder)
    return found


def experiment_of(project: Path, name: str = "small") -> Experiment:
    return read_experiment(name, config.load(config_of(project))["experiments"][name])


def config_of(project: Path) -> dict:
    return yaml.safe_load((project / "config.yaml").read_text())
