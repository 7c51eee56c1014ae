"""Find the ids that the submission must name, and their images."""

from histopatch.console import job_log
from histopatch.data.test_ids import write_test_ids

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    write_test_ids(
        snakemake.input.get("sample"),
        snakemake.input.index,
        snakemake.input.set_aside,
        snakemake.params.unusable,
        snakemake.output[0],
    )
