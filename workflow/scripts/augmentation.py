"""Show patches under each augmentation and stain normalisation."""

from histopatch.augmentation.gallery import gallery
from histopatch.console import job_log

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    gallery(
        snakemake.input.pack,
        snakemake.input.index,
        snakemake.params.shown["augmentation"],
        snakemake.params.shown["stain_normalisation"],
        snakemake.output[0],
    )
