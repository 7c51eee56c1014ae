"""Draw example patches."""

from histopatch.console import job_log
from histopatch.figures.exploration import examples

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    options = snakemake.params.options
    examples(
        snakemake.input.pack,
        snakemake.input.index,
        snakemake.input.labels,
        snakemake.output[0],
        dpi=options["dpi"],
        **options["examples"],
    )
