"""Predict the test images with the final model."""

import logging

from histopatch.console import job_log

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    logging.info("loading PyTorch")
    from histopatch.engine.predict import predict_pack
    from histopatch.statistics.ensembles import Ensemble

    given = snakemake.input
    predict_pack(
        given.models, given.reports, given.references, Ensemble(**snakemake.params.ensemble),
        given.pack, given.index, snakemake.output[0],
        snakemake.config["runtime"], snakemake.threads, snakemake.params.code,
    )  # fmt: skip
