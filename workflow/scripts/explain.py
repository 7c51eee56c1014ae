"""Explain predictions of the final model."""

import logging

from histopatch.console import job_log

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    logging.info("loading PyTorch")
    from histopatch.interpretability.final import explain_final
    from histopatch.statistics.ensembles import Ensemble

    given = snakemake.input
    explain_final(
        given.models, given.reports, given.predictions, given.get("held_out"),
        Ensemble(**snakemake.params.ensemble), given.split, given.pack, given.index,
        snakemake.config["runtime"], snakemake.threads, dict(snakemake.output.items()),
    )  # fmt: skip
