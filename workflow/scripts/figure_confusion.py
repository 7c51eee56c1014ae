"""Draw the confusion matrices of the final model."""

from histopatch.console import job_log
from histopatch.figures.performance import confusion

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    confusion(snakemake.input[0], snakemake.output[0], **snakemake.params.options)
