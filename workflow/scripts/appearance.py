"""Measure the appearance of a pack."""

from pcam.console import job_log
from pcam.cores import core_count
from pcam.data.appearance import appearance_files

runtime = snakemake.config["runtime"]
with job_log(snakemake.log[0], runtime["log_level"]):
    workers = core_count(runtime["workers"])
    appearance_files(snakemake.input.pack, snakemake.input.index, snakemake.output[0], workers)
