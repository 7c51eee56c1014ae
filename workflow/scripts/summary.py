"""Write the experiment in words."""

from histopatch.console import job_log
from histopatch.evaluation.summary import write_summary
from histopatch.settings import Split

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    given = snakemake.input
    write_summary(
        snakemake.wildcards.experiment,
        {name: Split(**split) for name, split in snakemake.params.splits.items()},
        given.cleaning,
        given.verdicts,
        given.get("test_ids"),
        {name: given.get(name) for name in ("giveaways", "runs", "effects", "seeds")},
        {name: given.get(name) for name in ("best", "metrics", "attribution", "operating_points")},
        snakemake.output[0],
    )
