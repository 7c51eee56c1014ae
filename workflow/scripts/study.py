"""Make the table of one study."""

from histopatch.console import job_log
from histopatch.evaluation.study import study_table

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    study_table(snakemake.input[0], snakemake.wildcards.study, snakemake.output[0])
