"""Count pixel values per class and channel."""

from histopatch.console import job_log
from histopatch.data.explore import rgb_histograms

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    rgb_histograms(snakemake.input.pack, snakemake.input.index, snakemake.input.labels, snakemake.output[0])
