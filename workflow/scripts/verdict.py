"""Judge the audit of a split."""

from histopatch.console import job_log
from histopatch.leakage.audit import judge_files

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    judge_files(
        snakemake.input.report,
        snakemake.wildcards.split,
        snakemake.input.pairs,
        snakemake.params.on_leak,
        snakemake.output[0],
    )
