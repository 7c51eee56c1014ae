"""Predict the test images with the final model."""

from histopatch.console import job_log
from histopatch.engine.predict import predict_pack

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    given = snakemake.input
    predict_pack(
        given.models, given.reports, given.pack, given.index,
        snakemake.output[0], snakemake.config["runtime"],
    )  # fmt: skip
