"""Predict the patches that are held out with the final model."""

import logging

from histopatch.console import job_log

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    logging.info("loading PyTorch")
    from histopatch.engine.predict import predict_held_out
    from histopatch.statistics.ensembles import Ensemble

    given = snakemake.input
    predict_held_out(
        given.models, given.reports, given.references, Ensemble(**snakemake.params.ensemble),
        given.pack, given.index, given.split, snakemake.output[0],
        snakemake.config["runtime"], snakemake.threads, snakemake.params.code,
    )  # fmt: skip
