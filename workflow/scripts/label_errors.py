"""Rank the patches whose label is probably wrong."""

from histopatch.console import job_log
from histopatch.evaluation.label_errors import label_errors_table
from histopatch.statistics.ensembles import Ensemble

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    label_errors_table(
        snakemake.input.predictions,
        snakemake.input.get("held_out"),
        Ensemble(**snakemake.params.ensemble),
        snakemake.input.split,
        snakemake.output[0],
    )
