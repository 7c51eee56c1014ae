# From the kept files of the runs to the tables of each study and of all runs.


def verdicts(name):
    """What the audits of the splits say. The runs are not compared before all of them are there."""
    return [f"results/{name}/splits/{split}.audit.txt" for split in EXPERIMENTS[name]["splits"]]


rule compare:
    input:
        runs=lambda wildcards: study_files(wildcards.experiment, "history.csv", "predictions.csv", "run.json"),
        splits=lambda wildcards: slide_tables(wildcards.experiment),
        verdicts=lambda wildcards: verdicts(wildcards.experiment),
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
        rules=lambda wildcards: experiment(wildcards)["splits"],
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


rule seeds:
    input:
        "results/{experiment}/tables/runs.csv",
    output:
        report(
            "results/{experiment}/tables/seeds.csv",
            caption="../report/seeds.rst",
            category="2 Studies",
            labels={"what": "how much the seed changes"},
        ),
    log:
        "results/{experiment}/logs/seeds.log",
    params:
        code=code("seeds.py"),
    script:
        "../scripts/seeds.py"


rule effects:
    input:
        table="results/{experiment}/tables/runs.csv",
        runs=lambda wildcards: study_files(wildcards.experiment, "predictions.csv"),
        splits=lambda wildcards: slide_tables(wildcards.experiment),
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
        members=lambda wildcards: study_members(wildcards.experiment),
        root="results/{experiment}/runs",
        code=code("effects.py"),
    script:
        "../scripts/effects.py"
