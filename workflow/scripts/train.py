"""Train one run on one fold."""

import logging
from pathlib import Path

from histopatch.console import job_log
from histopatch.settings import Settings

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    logging.info("loading PyTorch")
    from histopatch.engine.train import train_run

    train_run(
        Settings(**snakemake.params.settings),
        snakemake.params.settings,
        int(snakemake.wildcards.fold),
        snakemake.input.pack,
        snakemake.input.index,
        snakemake.input.split,
        Path(snakemake.output[0]).parent,
        code=snakemake.params.code,
        formats=Path("results/formats"),
        runtime=snakemake.config["runtime"],
        threads=snakemake.threads,
        pause_after=int(snakemake.wildcards.get("epochs", 0)),
    )
