"""Decode the images of one part into a pack."""

from histopatch.console import job_log
from histopatch.cores import core_count
from histopatch.data.formats.format import restore
from histopatch.data.pack import pack_images

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    pack_images(
        restore(snakemake.params.dataset).images(snakemake.wildcards.part),
        snakemake.params.patch_size,
        snakemake.output.array,
        snakemake.output.index,
        snakemake.output.rejected,
        workers=core_count(snakemake.config["runtime"]["workers"], snakemake.threads),
        code=snakemake.params.code,
    )
