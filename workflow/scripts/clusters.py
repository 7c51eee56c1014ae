"""Cluster the patches of a pack by their appearance."""

from histopatch.console import job_log
from histopatch.data.clusters import cluster_files

with job_log(snakemake.log[0], snakemake.config["runtime"]["log_level"]):
    cluster_files(snakemake.input[0], snakemake.output[0])
