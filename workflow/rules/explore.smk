# What the data set holds, and what augmentation makes of it.
from histopatch.schema import augmentation_examples, stain_methods

SHOWN = {"augmentation": augmentation_examples(), "stain_normalisation": stain_methods()}


@keeps
def kept_exploration(experiment):
    tables = ("images", "class_balance", "giveaways", "rgb_histograms")
    return [*(f"explore/{table}.csv" for table in tables), "explore/augmentation.npz"]


def pack_table(part, table):
    """A table of the pack of a part, where the data set has that part."""
    path = f"results/{{experiment}}/pack/{part}.{table}"
    return lambda wildcards: path.format(**wildcards) if part in experiment(wildcards).dataset.parts else []


rule class_balance:
    input:
        "results/{experiment}/labels/clean.csv",
    output:
        report(
            "results/{experiment}/explore/class_balance.csv",
            caption="../report/class_balance.rst",
            category="1 Data",
            labels={"what": "class balance, table"},
        ),
    log:
        "results/{experiment}/logs/class_balance.log",
    params:
        code=code("class_balance.py"),
    script:
        "../scripts/class_balance.py"


rule check_images:
    input:
        **{
            part + suffix: pack_table(part, table)
            for part in ("train", "test")
            for suffix, table in (("", "index.parquet"), ("_rejected", "rejected.csv"))
        },
    output:
        report(
            "results/{experiment}/explore/images.csv",
            caption="../report/images.rst",
            category="1 Data",
            labels={"what": "check of all images"},
        ),
    log:
        "results/{experiment}/logs/check_images.log",
    params:
        near_blank_std=lambda wildcards: experiment(wildcards).cleaning.near_blank_std,
        code=code("check_images.py"),
    script:
        "../scripts/check_images.py"


rule giveaways:
    input:
        index="results/{experiment}/pack/train.index.parquet",
        labels="results/{experiment}/labels/clean.csv",
        rejected="results/{experiment}/labels/rejected.csv",
    output:
        report(
            "results/{experiment}/explore/giveaways.csv",
            caption="../report/giveaways.rst",
            category="1 Data",
            labels={"what": "what gives a class away"},
        ),
    log:
        "results/{experiment}/logs/giveaways.log",
    params:
        code=code("giveaways.py"),
    script:
        "../scripts/giveaways.py"


rule rgb_histograms:
    input:
        pack="results/{experiment}/pack/train.npy",
        index="results/{experiment}/pack/train.index.parquet",
        labels="results/{experiment}/labels/clean.csv",
    output:
        report(
            "results/{experiment}/explore/rgb_histograms.csv",
            caption="../report/rgb_histograms.rst",
            category="1 Data",
            labels={"what": "RGB histograms, table"},
        ),
    log:
        "results/{experiment}/logs/rgb_histograms.log",
    params:
        code=code("rgb_histograms.py"),
    script:
        "../scripts/rgb_histograms.py"


rule augmentation:
    input:
        pack="results/{experiment}/pack/train.npy",
        index="results/{experiment}/pack/train.index.parquet",
    output:
        "results/{experiment}/explore/augmentation.npz",
    log:
        "results/{experiment}/logs/augmentation.log",
    params:
        shown=SHOWN,
        code=code(
            "augmentation.py",
            modules=[
                *components.operations(SHOWN["augmentation"]).values(),
                *components.mixing(SHOWN["augmentation"]).values(),
                *(f"stain.{method}" for method in SHOWN["stain_normalisation"]),
            ],
        ),
    script:
        "../scripts/augmentation.py"
