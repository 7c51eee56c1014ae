"""Write the submission."""

from pcam.console import job_log
from pcam.evaluation.submission import write_submission

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    sample = snakemake.input.get("sample")
    write_submission(snakemake.input.predictions, snakemake.params.folder, sample, snakemake.output[0])
