"""Decode the images of one shard of a part."""

from histopatch.console import job_log
from histopatch.cores import core_count
from histopatch.data.formats.format import restore
from histopatch.data.images import check_unchanged
from histopatch.data.shards import pack_shard, part_of

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    images = restore(snakemake.params.dataset).images(snakemake.wildcards.part)
    part = part_of(len(images), *snakemake.params.shard)
    check_unchanged(images[part], snakemake.params.images.get("images"))
    pack_shard(
        images,
        part,
        snakemake.params.patch_size,
        snakemake.output.array,
        snakemake.output.table,
        workers=core_count(snakemake.config["runtime"]["workers"], snakemake.threads),
        code=snakemake.params.code,
    )
