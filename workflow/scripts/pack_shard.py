"""Decode the images of one shard of a part."""

from histopatch.console import job_log
from histopatch.cores import core_count
from histopatch.data.formats.format import restore
from histopatch.data.shards import pack_shard, part_of

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    images = restore(snakemake.params.dataset).images(snakemake.wildcards.part)
    pack_shard(
        images,
        part_of(len(images), *snakemake.params.shard),
        snakemake.params.patch_size,
        snakemake.output.array,
        snakemake.output.table,
        workers=core_count(snakemake.config["runtime"]["workers"], snakemake.threads),
        code=snakemake.params.code,
    )
