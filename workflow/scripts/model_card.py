"""Write the model card."""

from histopatch.console import job_log
from histopatch.export.card import write_card

FACTS = ("cleaning", "flow", "audit", "giveaways", "best", "metrics", "operating_points")
TABLES = ("subgroups", "heterogeneity", "runs", "seeds")

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    given = snakemake.input
    sources, tables = ({name: str(given.get(name)) for name in names} for names in (FACTS, TABLES))
    write_card(given.description, given.reports, sources, tables, given.external, snakemake.output[0])
