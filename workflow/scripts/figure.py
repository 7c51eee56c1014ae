"""Draw a figure by the function that its rule names."""

import importlib

from histopatch.console import job_log

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    module, function = snakemake.params.function.rsplit(".", 1)
    draw = getattr(importlib.import_module(f"histopatch.{module}"), function)
    draw(**dict(snakemake.input.items()), path=snakemake.output[0], **snakemake.params.options)
