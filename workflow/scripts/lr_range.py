"""Test the learning rates of a run."""

import logging

from histopatch.console import job_log
from histopatch.settings import Settings

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    logging.info("loading PyTorch")
    from histopatch.engine.lr_range import write_range_test

    write_range_test(
        Settings(**snakemake.params.settings),
        snakemake.input.pack,
        snakemake.input.index,
        snakemake.input.split,
        snakemake.output[0],
        formats="results/formats",
        runtime=snakemake.config["runtime"],
        threads=snakemake.threads,
    )
