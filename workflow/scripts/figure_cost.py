"""Draw AUROC against training time."""

from histopatch.console import job_log
from histopatch.figures.studies import cost

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    cost(snakemake.input[0], snakemake.output[0], **snakemake.params.options)
