# What the data set holds: tables, and figures drawn from them.


@keeps
def kept_exploration(experiment):
    return [f"explore/{table}.csv" for table in ("images", "class_balance", "rgb_histograms")]


def figure_options(*keys):
    """The drawing options of one figure: the resolution and those of its own."""
    return lambda wildcards: {k: experiment(wildcards).figures[k] for k in ("dpi", *keys)}


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
        train="results/{experiment}/pack/train.index.csv",
        train_rejected="results/{experiment}/pack/train.rejected.csv",
        test="results/{experiment}/pack/test.index.csv",
        test_rejected="results/{experiment}/pack/test.rejected.csv",
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


rule rgb_histograms:
    input:
        pack="results/{experiment}/pack/train.npy",
        index="results/{experiment}/pack/train.index.csv",
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


rule figure_class_balance:
    input:
        "results/{experiment}/explore/class_balance.csv",
    output:
        report(
            "results/{experiment}/figures/class_balance.png",
            caption="../report/class_balance.rst",
            category="1 Data",
            labels={"what": "class balance"},
        ),
    log:
        "results/{experiment}/logs/figure-class_balance.log",
    params:
        options=figure_options(),
        code=code("figure_class_balance.py"),
    script:
        "../scripts/figure_class_balance.py"


rule figure_examples:
    input:
        pack="results/{experiment}/pack/train.npy",
        index="results/{experiment}/pack/train.index.csv",
        labels="results/{experiment}/labels/clean.csv",
    output:
        report(
            "results/{experiment}/figures/examples.png",
            caption="../report/examples.rst",
            category="1 Data",
            labels={"what": "example patches"},
        ),
    log:
        "results/{experiment}/logs/figure-examples.log",
    params:
        options=figure_options("examples"),
        code=code("figure_examples.py"),
    script:
        "../scripts/figure_examples.py"


rule figure_rgb_histograms:
    input:
        "results/{experiment}/explore/rgb_histograms.csv",
    output:
        report(
            "results/{experiment}/figures/rgb_histograms.png",
            caption="../report/rgb_histograms.rst",
            category="1 Data",
            labels={"what": "RGB histograms"},
        ),
    log:
        "results/{experiment}/logs/figure-rgb_histograms.log",
    params:
        options=figure_options(),
        code=code("figure_rgb_histograms.py"),
    script:
        "../scripts/figure_rgb_histograms.py"


rule figure_audit:
    input:
        report="results/{experiment}/splits/{split}.audit.json",
        pairs="results/{experiment}/splits/{split}.audit.csv",
        pack="results/{experiment}/pack/train.npy",
        index="results/{experiment}/pack/train.index.csv",
    output:
        report(
            "results/{experiment}/figures/audit-{split}.png",
            caption="../report/audit.rst",
            category="1 Data",
            labels={"what": "leakage audit of split {split}"},
        ),
    log:
        "results/{experiment}/logs/figure-audit-{split}.log",
    params:
        options=figure_options(),
        code=code("figure_audit.py"),
    script:
        "../scripts/figure_audit.py"
