"""Count the classes."""

from histopatch.console import job_log
from histopatch.data.explore import class_balance

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    class_balance(snakemake.input[0], snakemake.output[0])
