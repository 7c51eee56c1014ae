"""Look for what gives a class away."""

from histopatch.console import job_log
from histopatch.data.giveaways import giveaways

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    given = snakemake.input
    giveaways(given.index, given.labels, given.rejected, snakemake.output[0])
