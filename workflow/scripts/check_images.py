"""Check all images."""

from histopatch.console import job_log
from histopatch.data.explore import check_images

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    given = snakemake.input
    parts = {"train": (given.train, given.train_rejected)}
    if given.get("test"):
        parts["test"] = (given.test, given.test_rejected)
    check_images(parts, snakemake.params.near_blank_std, snakemake.output[0])
