"""Draw the audit of a split."""

from histopatch.console import job_log
from histopatch.figures.audit import audit

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    given = snakemake.input
    title = f"Leakage audit of the split {snakemake.wildcards.split}"
    audit(
        given.report, given.pairs, given.pack, given.index, snakemake.output[0],
        title=title, **snakemake.params.options,
    )  # fmt: skip
