"""Predict one shard of new patches with an exported model."""

import logging

from histopatch.console import job_log
from histopatch.cores import core_count

with job_log(snakemake.log[0], "info"):
    logging.info("loading PyTorch")
    from histopatch.prediction.patches import predict_shard

    predict_shard(
        snakemake.params.model,
        snakemake.input.patches,
        snakemake.params.root,
        snakemake.output[0],
        workers=core_count("auto", snakemake.threads),
    )
