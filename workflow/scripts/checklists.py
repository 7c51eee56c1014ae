"""Fill the reporting checklists."""

from histopatch.console import job_log
from histopatch.evaluation.checklists import write_checklists

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    made = dict(snakemake.output.items())
    text = made.pop("text")
    sources = {name: str(path) for name, path in snakemake.input.items()}
    write_checklists(sources, snakemake.params.root, made, text)
