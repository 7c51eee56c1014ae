"""Look up the groups that a table names for each patch."""

from histopatch.console import job_log
from histopatch.data.formats.format import restore
from histopatch.data.group_table import write_groups

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    given = snakemake.input
    write_groups(given.labels, given.table, restore(snakemake.params.dataset), snakemake.output[0])
