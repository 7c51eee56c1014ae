"""Evaluate the final model."""

from histopatch.console import job_log
from histopatch.evaluation.final import final_tables
from histopatch.settings import Split
from histopatch.statistics.ensembles import Ensemble

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    final_tables(
        snakemake.input.best,
        snakemake.input.predictions,
        snakemake.input.get("held_out"),
        Ensemble(**snakemake.params.ensemble),
        Split(**snakemake.params.split),
        snakemake.input.split,
        snakemake.params.prevalences,
        dict(snakemake.output.items()),
    )
