# A learning-rate range test of a run. Nothing needs it: ask for its figure by name.


rule lr_range:
    input:
        pack="results/{experiment}/pack/train.npy",
        index="results/{experiment}/pack/train.index.parquet",
        split=lambda wildcards: f"results/{wildcards.experiment}/splits/{run_of(wildcards).settings.split}.csv",
        weights=weights_file,
    output:
        "results/{experiment}/lr_range/{run}.csv",
    log:
        "results/{experiment}/logs/lr_range-{run}.log",
    threads: CORES // TRAININGS
    resources:
        gpu=1,
    params:
        settings=lambda wildcards: run_of(wildcards).identity,
        code=training_code("lr_range.py"),
    script:
        "../scripts/lr_range.py"


rule figure_lr_range:
    input:
        table="results/{experiment}/lr_range/{run}.csv",
    output:
        "results/{experiment}/figures/lr_range-{run}.png",
    log:
        "results/{experiment}/logs/figure-lr_range-{run}.log",
    params:
        function="figures.lr_range.lr_range",
        options=lambda wildcards: {"dpi": experiment(wildcards).figures["dpi"], "name": wildcards.run},
        code=code("figure.py", modules=("figures.lr_range",)),
    script:
        "../scripts/figure.py"
