"""Put the predictions of all shards into one table, with calls, and say what they come to."""

from histopatch.console import job_log
from histopatch.prediction.table import write_predictions

with job_log(snakemake.log[0], "info"):
    given, made = snakemake.input, snakemake.output
    write_predictions(
        given.description, given.patches, given.shards,
        snakemake.params.point, snakemake.params.abstain, made.table, made.summary,
    )  # fmt: skip
