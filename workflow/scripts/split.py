"""Split the clean labels."""

from pcam.console import job_log
from pcam.data.splits import split_files

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    slides = snakemake.input.get("slides")
    split_files(snakemake.input.labels, slides, snakemake.params.rules, snakemake.output[0])
