"""Draw the best configurations."""

from histopatch.console import job_log
from histopatch.figures.studies import top_runs

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    options = snakemake.params.options
    top_runs(snakemake.input[0], snakemake.output[0], options["dpi"], options["top_runs"])
