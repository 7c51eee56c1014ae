"""Train one run on one fold."""

from pathlib import Path

from histopatch.console import job_log
from histopatch.engine.train import train_run

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    train_run(
        snakemake.params.settings,
        int(snakemake.wildcards.fold),
        snakemake.input.pack,
        snakemake.input.index,
        snakemake.input.split,
        Path(snakemake.output.model).parent,
        code=snakemake.params.code,
        formats=Path("results/formats.json"),
        runtime=snakemake.config["runtime"],
    )
