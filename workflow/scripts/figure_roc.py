"""Draw the ROC curve of the final model."""

from histopatch.console import job_log
from histopatch.figures.performance import roc

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    given = snakemake.input
    roc(given.curve, given.points, given.metrics, snakemake.output[0], **snakemake.params.options)
