"""Draw the RGB histograms."""

from pcam.console import job_log
from pcam.figures.exploration import rgb_histograms

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    rgb_histograms(snakemake.input[0], snakemake.output[0], **snakemake.params.options)
