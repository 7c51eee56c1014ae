"""Write the summary in words."""

from pcam.console import job_log
from pcam.evaluation.summary import write_summary

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    write_summary(
        snakemake.wildcards.experiment,
        snakemake.input.cleaning,
        snakemake.params.splits,
        snakemake.input.runs,
        snakemake.input.effects,
        snakemake.output[0],
    )
