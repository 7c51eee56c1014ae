"""Make a synthetic data set in Kaggle's layout."""

from pathlib import Path

from histopatch.console import job_log
from histopatch.cores import core_count
from histopatch.data.synthetic import write_dataset

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    write_dataset(
        Path(snakemake.output.train).parent,
        **snakemake.params.recipe,
        workers=core_count(snakemake.config["runtime"]["workers"], snakemake.threads),
    )
