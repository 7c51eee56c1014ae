"""Draw the learning curves of the final model."""

from histopatch.console import job_log
from histopatch.figures.training import learning_curves

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    title = "Learning curves of the final model"
    learning_curves(snakemake.input, snakemake.output[0], title=title, **snakemake.params.options)
