"""Measure the final model."""

from pcam.console import job_log
from pcam.evaluation.final import final_metrics

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    final_metrics(
        snakemake.input.best,
        snakemake.input.predictions[0],
        snakemake.input.split,
        snakemake.output[0],
    )
