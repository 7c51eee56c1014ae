"""Show one patch under each augmentation."""

from histopatch.augmentation.gallery import gallery
from histopatch.console import job_log

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    gallery(snakemake.input.pack, snakemake.input.index, snakemake.params.strengths, path=snakemake.output[0])
