"""Draw the RGB histograms."""

from histopatch.console import job_log
from histopatch.figures.exploration import rgb_histograms

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    rgb_histograms(snakemake.input[0], snakemake.output[0], **snakemake.params.options)
