"""Measure the final model on external data sets."""

from histopatch.console import job_log
from histopatch.evaluation.external import external_tables
from histopatch.statistics.ensembles import Ensemble

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    given, made = snakemake.input, snakemake.output
    kinds = ("patches", "predictions", "shared")
    sets = {
        name: {kind: given.get(kind)[place] for kind in kinds}
        for place, name in enumerate(snakemake.params.sets)
    }
    ensemble = Ensemble(**snakemake.params.ensemble)
    external_tables(given.metrics, given.operating_points, sets, ensemble, made.table, made.points)
