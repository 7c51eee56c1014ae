"""Write the submission."""

import json
from pathlib import Path

from histopatch.console import job_log
from histopatch.evaluation.submission import write_submission
from histopatch.statistics.recalibration import Recalibration

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    given = snakemake.input
    metrics = json.loads(Path(given.metrics).read_text()) if given.get("metrics") else None
    write_submission(
        given.predictions,
        given.test_ids,
        snakemake.params.unusable,
        snakemake.output[0],
        recalibration=Recalibration(**metrics["recalibration"]) if metrics else None,
    )
