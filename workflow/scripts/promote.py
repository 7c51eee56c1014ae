"""Choose which runs of a study go on after a rung."""

from histopatch.console import job_log
from histopatch.evaluation.rungs import rung_table

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    rung_table(
        snakemake.wildcards.study,
        snakemake.params.runs,
        int(snakemake.wildcards.epochs),
        snakemake.params.going_on,
        snakemake.params.root,
        snakemake.output[0],
    )
