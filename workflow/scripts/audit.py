"""Audit a split."""

from histopatch.console import job_log
from histopatch.leakage.audit import audit_files

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    audit_files(
        snakemake.input.split, snakemake.input.duplicates, snakemake.output.report, snakemake.output.pairs
    )
