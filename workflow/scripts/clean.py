"""Clean the labels."""

from histopatch.console import job_log
from histopatch.data.clean import clean_files
from histopatch.data.formats.format import restore
from histopatch.settings import Cleaning

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    clean_files(
        restore(snakemake.params.dataset),
        snakemake.input.index,
        snakemake.input.set_aside,
        Cleaning(**snakemake.params.cleaning),
        snakemake.output.clean,
        snakemake.output.rejected,
        snakemake.output.summary,
    )
