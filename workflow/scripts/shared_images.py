"""Find the images that an external data set shares with the own one."""

from histopatch.console import job_log
from histopatch.cores import core_count
from histopatch.leakage.shared import shared_images

runtime = snakemake.config["runtime"]
with job_log(snakemake.log[0], runtime["log_level"]):
    given = snakemake.input
    shared_images(
        given.pack, given.index, given.own_pack, given.own_index, given.patches, snakemake.output[0],
        core_count(runtime["workers"], snakemake.threads),
    )  # fmt: skip
