"""Measure the final model on each group of patches."""

from histopatch.console import job_log
from histopatch.evaluation.subgroups import subgroup_tables
from histopatch.statistics.ensembles import Ensemble

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    given, made = snakemake.input, snakemake.output
    subgroup_tables(
        given.predictions, given.get("held_out"), Ensemble(**snakemake.params.ensemble), given.split,
        given.operating_points, given.clusters, given.get("named"), made.subgroups, made.tests,
    )  # fmt: skip
