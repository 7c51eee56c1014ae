"""List the patches that the final model gets wrong."""

from histopatch.console import job_log
from histopatch.evaluation.errors import errors_table
from histopatch.statistics.ensembles import Ensemble

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    errors_table(
        snakemake.input.predictions,
        snakemake.input.get("held_out"),
        Ensemble(**snakemake.params.ensemble),
        snakemake.input.split,
        snakemake.input.operating_points,
        snakemake.output[0],
    )
