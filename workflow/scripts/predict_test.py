"""Predict the test images with the final model."""

from pcam.console import job_log
from pcam.engine.predict import predict_pack

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    model, report = snakemake.input.run
    predict_pack(
        model,
        report,
        snakemake.input.pack,
        snakemake.input.index,
        snakemake.output[0],
        snakemake.config["runtime"],
    )
