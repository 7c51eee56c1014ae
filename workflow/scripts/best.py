"""Choose the best runs of the final study."""

from histopatch.console import job_log
from histopatch.evaluation.best import choose_best

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    choose_best(
        snakemake.input[0],
        snakemake.params.metric,
        snakemake.params.select,
        snakemake.params.members,
        snakemake.params.final_runs,
        snakemake.output[0],
    )
