# From the runs' kept files to tables and figures of each study and of all runs.


rule compare:
    input:
        runs=lambda wildcards: [
            f"results/{wildcards.experiment}/runs/{folder}/fold-0/{file}"
            for folder in run_folders(wildcards.experiment)
            for file in ("history.csv", "predictions.csv", "run.json")
        ],
        splits=lambda wildcards: [
            f"results/{wildcards.experiment}/splits/{split}.csv" for split in experiment(wildcards)["splits"]
        ],
    output:
        report(
            "results/{experiment}/tables/runs.csv",
            caption="../report/runs.rst",
            category="2 Studies",
            labels={"what": "all runs"},
        ),
    log:
        "results/{experiment}/logs/compare.log",
    params:
        members=lambda wildcards: study_members(wildcards.experiment),
        root="results/{experiment}/runs",
        code=code("compare.py"),
    script:
        "../scripts/compare.py"


rule study:
    input:
        "results/{experiment}/tables/runs.csv",
    output:
        report(
            "results/{experiment}/tables/{study}.csv",
            caption="../report/study.rst",
            category="2 Studies",
            labels={"what": "study {study}, table"},
        ),
    log:
        "results/{experiment}/logs/study-{study}.log",
    params:
        code=code("study.py"),
    script:
        "../scripts/study.py"


rule effects:
    input:
        "results/{experiment}/tables/runs.csv",
    output:
        report(
            "results/{experiment}/tables/effects.csv",
            caption="../report/effects.rst",
            category="2 Studies",
            labels={"what": "what each setting changed"},
        ),
    log:
        "results/{experiment}/logs/effects.log",
    params:
        code=code("effects.py"),
    script:
        "../scripts/effects.py"


rule summary:
    input:
        cleaning="results/{experiment}/labels/summary.json",
        runs="results/{experiment}/tables/runs.csv",
        effects="results/{experiment}/tables/effects.csv",
    output:
        report(
            "results/{experiment}/tables/summary.md",
            caption="../report/summary.rst",
            category="2 Studies",
            labels={"what": "summary in words"},
        ),
    log:
        "results/{experiment}/logs/summary.log",
    params:
        splits=lambda wildcards: experiment(wildcards)["splits"],
        code=code("summary.py"),
    script:
        "../scripts/summary.py"


rule figure_study:
    input:
        "results/{experiment}/tables/{study}.csv",
    output:
        report(
            "results/{experiment}/figures/study-{study}.png",
            caption="../report/study.rst",
            category="2 Studies",
            labels={"what": "study {study}"},
        ),
    log:
        "results/{experiment}/logs/figure-study-{study}.log",
    params:
        options=figure_options(),
        code=code("figure_study.py"),
    script:
        "../scripts/figure_study.py"


rule figure_top_runs:
    input:
        "results/{experiment}/tables/runs.csv",
    output:
        report(
            "results/{experiment}/figures/top_runs.png",
            caption="../report/top_runs.rst",
            category="2 Studies",
            labels={"what": "top configurations"},
        ),
    log:
        "results/{experiment}/logs/figure-top_runs.log",
    params:
        options=figure_options("top_runs"),
        code=code("figure_top_runs.py"),
    script:
        "../scripts/figure_top_runs.py"


rule figure_cost:
    input:
        "results/{experiment}/tables/runs.csv",
    output:
        report(
            "results/{experiment}/figures/cost.png",
            caption="../report/cost.rst",
            category="2 Studies",
            labels={"what": "AUROC against training time"},
        ),
    log:
        "results/{experiment}/logs/figure-cost.log",
    params:
        options=figure_options(),
        code=code("figure_cost.py"),
    script:
        "../scripts/figure_cost.py"
