"""Draw the precision-recall curve of the final model."""

from histopatch.console import job_log
from histopatch.figures.performance import precision_recall

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    given = snakemake.input
    precision_recall(given.curve, given.metrics, snakemake.output[0], **snakemake.params.options)
