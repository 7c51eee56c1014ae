"""Draw the AUROC of the final model by slide or fold."""

from histopatch.console import job_log
from histopatch.figures.performance import auc_by_group

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    auc_by_group(snakemake.input[0], snakemake.output[0], **snakemake.params.options)
