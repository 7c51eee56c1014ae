# The final model on labelled data sets that nothing is trained on. Rules of the data serve them unchanged, as
# each is an experiment of its own to them (`Experiment.external_set`).


@keeps
def kept_external(experiment):
    if not experiment.external:
        return []
    made = [f"pack/train.{kind}" for kind in ("npy", "index.parquet", "rejected.csv")]
    made += [f"labels/{file}" for file in ("clean.csv", "rejected.csv", "summary.json")]
    made += [f"{file}.csv" for file in ("patches", "predictions", "shared")]
    files = [f"external/{name}/{file}" for name in experiment.external for file in made]
    return [*files, "final/external.csv", "final/external_operating_points.csv"]


EXTERNAL = "results/{experiment}/external/{external}"


def external_set(wildcards):
    return experiment(wildcards).external[wildcards.external]


rule external_patches:
    input:
        labels=f"{EXTERNAL}/labels/clean.csv",
        slides=lambda wildcards: external_set(wildcards).files("slides"),
    output:
        f"{EXTERNAL}/patches.csv",
    log:
        "results/{experiment}/logs/external_patches-{external}.log",
    priority: 1
    params:
        dataset=lambda wildcards: plain(external_set(wildcards), "slides"),
        code=lambda wildcards: code("external_patches.py", [f"data.formats.{external_set(wildcards).name}"]),
    script:
        "../scripts/external_patches.py"


rule shared_images:
    input:
        pack=f"{EXTERNAL}/pack/train.npy",
        index=f"{EXTERNAL}/pack/train.index.parquet",
        own_pack="results/{experiment}/pack/train.npy",
        own_index="results/{experiment}/pack/train.index.parquet",
        patches=f"{EXTERNAL}/patches.csv",
    output:
        f"{EXTERNAL}/shared.csv",
    log:
        "results/{experiment}/logs/shared_images-{external}.log",
    threads: 8
    params:
        code=code("shared_images.py"),
    script:
        "../scripts/shared_images.py"


# To the final model they are patches of a split that holds out all of them.
use rule predict_held_out as predict_external with:
    input:
        models=final_run("model.safetensors"),
        reports=final_run("run.json"),
        references=rank_references,
        pack=f"{EXTERNAL}/pack/train.npy",
        index=f"{EXTERNAL}/pack/train.index.parquet",
        split=f"{EXTERNAL}/patches.csv",
    output:
        f"{EXTERNAL}/predictions.csv",
    log:
        "results/{experiment}/logs/predict_external-{external}.log",


def of_external_sets(kind):
    """A file of each external data set."""

    def paths(wildcards):
        asked = experiment(wildcards)
        return results(asked.name, [f"external/{name}/{kind}.csv" for name in asked.external])

    return paths


rule external:
    input:
        metrics="results/{experiment}/final/metrics.json",
        operating_points="results/{experiment}/final/operating_points.csv",
        patches=of_external_sets("patches"),
        predictions=of_external_sets("predictions"),
        shared=of_external_sets("shared"),
    output:
        table=report(
            "results/{experiment}/final/external.csv",
            caption="../report/external.rst",
            category="3 Final model",
            labels={"what": "external data, table"},
        ),
        points="results/{experiment}/final/external_operating_points.csv",
    log:
        "results/{experiment}/logs/external.log",
    params:
        sets=lambda wildcards: [*experiment(wildcards).external],
        ensemble=averaging,
        code=code("external.py"),
    script:
        "../scripts/external.py"
