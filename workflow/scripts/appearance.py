"""Measure the appearance of a pack."""

from histopatch.console import job_log
from histopatch.cores import core_count
from histopatch.data.appearance import appearance_files

runtime = snakemake.config["runtime"]
with job_log(snakemake.log[0], runtime["log_level"]):
    workers = core_count(runtime["workers"], snakemake.threads)
    appearance_files(snakemake.input.pack, snakemake.input.index, snakemake.output[0], workers)
