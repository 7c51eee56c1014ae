"""Write the experiment in words."""

from histopatch.console import job_log
from histopatch.evaluation.summary import write_summary
from histopatch.settings import Split

FINAL = (
    "best",
    "metrics",
    "attribution",
    "operating_points",
    "decision_curve",
    "abstaining",
    "subgroups",
    "heterogeneity",
    "suspect_labels",
)

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    given = snakemake.input
    write_summary(
        snakemake.wildcards.experiment,
        {name: Split(**split) for name, split in snakemake.params.splits.items()},
        given.cleaning,
        given.verdicts,
        given.get("test_ids"),
        {name: given.get(name) for name in ("giveaways", "runs", "effects", "seeds", "choice")},
        dict(zip(snakemake.params.splits, given.splits, strict=True)),
        {name: given.get(name) for name in FINAL},
        snakemake.params.final_study,
        snakemake.params.retrained_with,
        snakemake.output[0],
        given.external,
    )
