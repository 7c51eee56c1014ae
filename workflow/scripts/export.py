"""Export the final model for use elsewhere."""

import logging

from histopatch.console import job_log

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    logging.info("loading PyTorch")
    from histopatch.export.model import export_model
    from histopatch.statistics.ensembles import Ensemble

    given, made = snakemake.input, snakemake.output
    export_model(
        snakemake.wildcards.experiment,
        given.best, given.models, given.reports, given.references, given.predictions,
        given.metrics, given.operating_points, given.pack, given.appearance, given.split,
        Ensemble(**snakemake.params.ensemble), snakemake.params.positive,
        snakemake.params.microns_per_pixel,
        made.weights, made.onnx, made.description,
    )  # fmt: skip
