"""Decode the images of one part into a pack, or join the shards of it."""

from histopatch.console import job_log
from histopatch.cores import core_count
from histopatch.data.formats.format import restore
from histopatch.data.images import check_unchanged
from histopatch.data.pack import pack_images
from histopatch.data.shards import join_shards

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    images = restore(snakemake.params.dataset).images(snakemake.wildcards.part)
    check_unchanged(images, snakemake.params.images.get("images"))
    files = snakemake.output.array, snakemake.output.index, snakemake.output.rejected
    if snakemake.input.shards:
        join_shards(snakemake.input.shards, snakemake.input.tables, images, *files)
    else:
        pack_images(
            images,
            snakemake.params.patch_size,
            *files,
            workers=core_count(snakemake.config["runtime"]["workers"], snakemake.threads),
            code=snakemake.params.code,
        )
