"""Write the submission."""

import json
from pathlib import Path

from histopatch.console import job_log
from histopatch.evaluation.submission import write_submission

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    given = snakemake.input
    metrics = given.get("metrics")
    write_submission(
        given.predictions,
        given.test_ids,
        snakemake.params.unusable,
        snakemake.output[0],
        temperature=json.loads(Path(metrics).read_text())["temperature"] if metrics else None,
    )
