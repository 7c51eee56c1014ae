"""Compute the features of all patches with a frozen encoder."""

import logging

from histopatch.banks import Bank
from histopatch.console import job_log

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    logging.info("loading PyTorch")
    from histopatch.engine.features import embed_pack

    made = snakemake.output
    embed_pack(
        Bank(snakemake.params.settings).settings, snakemake.input.pack,
        made.features, made.encoder, made.report, snakemake.config["runtime"], snakemake.threads,
        snakemake.params.code,
    )  # fmt: skip
