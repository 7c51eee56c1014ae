# From the kept files of the runs to the tables of each study and of all runs.


@keeps
def kept_tables(experiment):
    return [f"tables/{table}.csv" for table in ("runs", "effects", "seeds", "choice", *experiment.studies)]


def run_files_of_studies(*files, **known):
    """Some files of every run of every study that is trained to its end. known: as in `final_run`."""

    def paths(wildcards):
        name = {**wildcards, **known}["experiment"]
        return results(
            name,
            [
                path
                for folder in trained_folders(name)
                for path in EXPERIMENTS[name].run_files(folder, *files)
            ],
        )

    return paths


def split_tables(wildcards):
    """The tables of the splits, which know the slides."""
    asked = experiment(wildcards)
    return results(asked.name, [f"splits/{split}.csv" for split in asked.splits])


def verdicts(wildcards):
    """What the audits of the splits say. The runs are not compared before all of them are there."""
    asked = experiment(wildcards)
    return results(asked.name, [f"splits/{split}.audit.txt" for split in asked.splits])


def plain_splits(wildcards):
    return {name: plain_split(split) for name, split in experiment(wildcards).splits.items()}


rule compare:
    input:
        runs=run_files_of_studies("history.csv", "predictions.csv", "run.json"),
        rungs=lambda wildcards: results(wildcards.experiment, rung_tables(experiment(wildcards))),
        splits=split_tables,
        verdicts=verdicts,
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
        members=lambda wildcards: experiment(wildcards).members,
        splits=plain_splits,
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
        runs=run_files_of_studies("predictions.csv"),
        splits=split_tables,
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
        members=lambda wildcards: experiment(wildcards).members,
        root="results/{experiment}/runs",
        code=code("effects.py"),
    script:
        "../scripts/effects.py"


rule choice:
    input:
        table="results/{experiment}/tables/runs.csv",
        runs=run_files_of_studies("predictions.csv"),
        splits=split_tables,
    output:
        report(
            "results/{experiment}/tables/choice.csv",
            caption="../report/choice.rst",
            category="2 Studies",
            labels={"what": "what each comparison is worth"},
        ),
    log:
        "results/{experiment}/logs/choice.log",
    params:
        members=lambda wildcards: experiment(wildcards).members,
        root="results/{experiment}/runs",
        code=code("choice.py"),
    script:
        "../scripts/choice.py"
