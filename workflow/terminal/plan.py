"""The plan of a dry run as a JSON file, for `make status`: the jobs, and what Snakemake knows of why."""

import json
import logging
import os
from pathlib import Path

from snakemake.jobs import Job
from snakemake.workflow import Workflow
from snakemake_interface_logger_plugins.common import LogEvent

from histopatch.causes import PLAN


def write_plan_if_asked(workflow: Workflow) -> None:
    """Write the plan at the end of this call, where the environment names a file for it."""
    if path := os.environ.get(PLAN):
        logging.getLogger("snakemake.logging").addHandler(_PlanWriter(workflow, Path(path)))


class _PlanWriter(logging.Handler):
    def __init__(self, workflow: Workflow, path: Path):
        super().__init__()
        self.workflow, self.path = workflow, path

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "event", None) == LogEvent.RUN_INFO:  # the dry run's last word
            jobs = self.workflow.dag.needrun_jobs(exclude_finished=False)
            self.path.write_text(json.dumps([_describe(job, self.workflow) for job in jobs], default=str))


def _describe(job: Job, workflow: Workflow) -> dict:
    """A job as plain values: the fields of `histopatch.causes.Planned`."""
    reason, recorded = workflow.dag.reason(job), workflow.persistence.metadata
    missing = sorted(reason.missing_output)
    changed = reason.params_changed or None
    return {
        "rule": job.rule.name,
        "wildcards": dict(job.wildcards_dict),
        "missing": [*map(str, missing)],
        "deleted": [str(path) for path in missing if recorded(path)],
        "updated": sorted(map(str, reason.updated_input - reason.updated_input_run)),
        "follows": bool(reason.updated_input_run),
        "incomplete": bool(reason.incomplete_output),
        "forced": bool(reason.forced),
        "inputs_changed": bool(reason.input_changed),
        "params": {name: repr(value) for name, value in job.params.items()},
        "params_before": sorted(changed.only_old) if changed else [],
        "params_now": sorted(changed.only_new) if changed else [],
    }
