"""Make the table of what each setting changed."""

from pcam.console import job_log
from pcam.evaluation.effects import effects_table

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    effects_table(snakemake.input[0], snakemake.output[0])
