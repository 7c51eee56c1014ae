# One training for each fold of a run. The final training is a run like any other.

RUN_FILES = ["model.safetensors", "history.csv", "predictions.csv", "run.json"]


def settings(wildcards):
    return RUNS[wildcards.experiment][wildcards.run].settings


def weights_file(wildcards):
    """The file of weights to start from, where the settings name one."""
    weights = settings(wildcards)["weights"]
    return [] if weights in ("imagenet", "none") else weights


rule train:
    input:
        pack="results/{experiment}/pack/train.npy",
        index="results/{experiment}/pack/train.index.csv",
        split=lambda wildcards: f"results/{wildcards.experiment}/splits/{settings(wildcards)['split']}.csv",
        weights=weights_file,
    output:
        model="results/{experiment}/runs/{run}/fold-{fold}/model.safetensors",
        history="results/{experiment}/runs/{run}/fold-{fold}/history.csv",
        predictions="results/{experiment}/runs/{run}/fold-{fold}/predictions.csv",
        report="results/{experiment}/runs/{run}/fold-{fold}/run.json",
    log:
        "results/{experiment}/logs/train-{run}-fold-{fold}.log",
    wildcard_constraints:
        fold=r"\d+",
    resources:
        gpu=1,
    params:
        settings=settings,
        code=code("train.py"),
    script:
        "../scripts/train.py"
