"""Draw the runs of one study."""

from histopatch.console import job_log
from histopatch.figures.studies import study

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    title = f"Study {snakemake.wildcards.study}"
    study(snakemake.input[0], snakemake.output[0], title=title, **snakemake.params.options)
