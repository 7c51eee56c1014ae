"""Draw the reliability of the final model's probabilities."""

from histopatch.console import job_log
from histopatch.figures.performance import reliability

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    reliability(snakemake.input[0], snakemake.output[0], **snakemake.params.options)
