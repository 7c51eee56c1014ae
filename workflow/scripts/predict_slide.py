"""Predict one slide with an exported model, tile by tile."""

import logging
from pathlib import Path

from histopatch.console import job_log
from histopatch.cores import core_count

with job_log(snakemake.log[0], "info"):
    logging.info("loading PyTorch")
    import torch

    from histopatch import inference
    from histopatch.engine.device import hold_device
    from histopatch.slides.predict import predict_or_explain
    from histopatch.slides.tiling import Tiling

    torch.set_num_threads(core_count("auto", snakemake.threads))
    with hold_device("auto") as device:
        predict_or_explain(
            inference.load(snakemake.params.model, device),
            snakemake.params.file["path"],
            Path(snakemake.output.summary).parent,
            Tiling(**snakemake.params.tiling),
        )
