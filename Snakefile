from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/explore.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/halving.smk"
include: "workflow/rules/lr_range.smk"
include: "workflow/rules/compare.smk"
include: "workflow/rules/final.smk"
include: "workflow/rules/performance.smk"
include: "workflow/rules/external.smk"
include: "workflow/rules/export.smk"
include: "workflow/rules/explain.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/cluster.smk"


rule all:
    default_target: True
    input:
        kept_files(config["experiment"]),
        lambda wildcards: all_rung_files(config["experiment"]),
        run_files_of_studies(*RUN_FILES, experiment=config["experiment"]),
        final_run(*RUN_FILES, experiment=config["experiment"]),
