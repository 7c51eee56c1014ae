"""Measure the final model."""

from histopatch.console import job_log
from histopatch.evaluation.final import final_tables

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    final_tables(
        snakemake.input.best,
        snakemake.input.predictions,
        snakemake.input.get("held_out"),
        snakemake.input.split,
        snakemake.params.rules,
        snakemake.params.prevalences,
        dict(snakemake.output.items()),
    )
