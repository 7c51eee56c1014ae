"""Count how many images, label rows, patches and slides there are, and why others are left out."""

from histopatch.console import job_log
from histopatch.data.formats.format import restore
from histopatch.evaluation.flow import flow_table

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    given = snakemake.input
    flow_table(
        given.index,
        given.set_aside,
        given.rejected,
        given.split,
        restore(snakemake.params.dataset),
        snakemake.output[0],
    )
