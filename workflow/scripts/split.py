"""Split the clean labels."""

from histopatch.console import job_log
from histopatch.data.formats.format import restore
from histopatch.data.splits import split_files
from histopatch.settings import Split

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    given = snakemake.input
    split_files(
        given.labels,
        restore(snakemake.params.dataset),
        given.get("appearance"),
        given.get("duplicates"),
        Split(**snakemake.params.split),
        snakemake.output[0],
        given.get("groups"),
    )
