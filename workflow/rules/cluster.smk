# What takes seconds: on a cluster it runs where Snakemake does, since a queue is no place for many small jobs.
# So do the figures. Memory, time and cores of the others are in profiles/slurm/config.yaml.


localrules:
    all,
    audit,
    best,
    check_images,
    checklists,
    class_balance,
    errors,
    external_patches,
    figure_lr_range,
    flow,
    giveaways,
    groups,
    model_card,
    promote,
    report,
    seeds,
    study,
    submission,
    summary,
    test_ids,
    verdict,
