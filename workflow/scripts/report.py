"""Write the report."""

from histopatch.console import job_log
from histopatch.report.page import write_report

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    write_report(
        snakemake.wildcards.experiment,
        snakemake.params.root,
        snakemake.params.studies,
        snakemake.params.splits,
        snakemake.input.reports,
        snakemake.params.configuration,
        snakemake.output[0],
    )
