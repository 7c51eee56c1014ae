"""Check all images."""

from histopatch.console import job_log
from histopatch.data.explore import check_images

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    parts = {
        "train": (snakemake.input.train, snakemake.input.train_rejected),
        "test": (snakemake.input.test, snakemake.input.test_rejected),
    }
    check_images(parts, snakemake.params.near_blank_std, snakemake.output[0])
