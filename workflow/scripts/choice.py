"""Make the table of what the comparison of each study is worth."""

from pathlib import Path

from histopatch.console import job_log
from histopatch.evaluation.choice import choice_table

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    choice_table(
        snakemake.params.members,
        snakemake.params.root,
        {Path(split).stem: split for split in snakemake.input.splits},
        snakemake.input.table,
        snakemake.output[0],
    )
