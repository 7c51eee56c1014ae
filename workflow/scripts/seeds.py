"""Make the table of how much the AUROC varies with the seed."""

from histopatch.console import job_log
from histopatch.evaluation.seeds import seeds_table

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    seeds_table(snakemake.input[0], snakemake.output[0])
