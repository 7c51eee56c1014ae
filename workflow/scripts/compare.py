"""Make the table of all runs."""

from pathlib import Path

from histopatch.console import job_log
from histopatch.evaluation.compare import compare_runs
from histopatch.settings import Split

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    compare_runs(
        snakemake.params.members,
        {name: Split(**split) for name, split in snakemake.params.splits.items()},
        snakemake.params.root,
        {Path(split).stem: split for split in snakemake.input.splits},
        snakemake.input.rungs,
        snakemake.output[0],
    )
