"""Draw the ROC curve of the final model."""

from pcam.console import job_log
from pcam.figures.training import roc

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    title = "ROC curve of the final model on the validation part"
    roc(snakemake.input[0], snakemake.output[0], title=title, **snakemake.params.options)
