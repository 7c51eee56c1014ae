"""Draw AUROC against training time."""

from pcam.console import job_log
from pcam.figures.studies import cost

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    cost(snakemake.input[0], snakemake.output[0], **snakemake.params.options)
