"""Put the scores of all slides into one table, and say how well they tell labelled slides apart."""

from histopatch.console import job_log
from histopatch.slides.table import write_slides

with job_log(snakemake.log[0], "info"):
    given, made = snakemake.input, snakemake.output
    write_slides(
        snakemake.params.names, given.summaries, snakemake.params.labels,
        made.table, made.aurocs, made.summary,
    )  # fmt: skip
