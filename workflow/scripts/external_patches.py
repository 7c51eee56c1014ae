"""List the patches of an external data set."""

from histopatch.console import job_log
from histopatch.data.external import external_patches
from histopatch.data.formats.format import restore

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    external_patches(
        snakemake.wildcards.external,
        snakemake.input.labels,
        restore(snakemake.params.dataset),
        snakemake.output[0],
    )
