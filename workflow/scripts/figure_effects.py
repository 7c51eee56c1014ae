"""Draw what each setting changed."""

from histopatch.console import job_log
from histopatch.figures.setting_effects import effects

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    effects(snakemake.input[0], snakemake.output[0], **snakemake.params.options)
