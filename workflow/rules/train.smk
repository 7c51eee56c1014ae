# One training for each fold of a run. The final training is a run like any other.

RUN_FILES = ["model.safetensors", "history.csv", "predictions.csv", "run.json"]


@keeps
def kept_runs(experiment):
    return [path for folder in experiment.study_folders for path in experiment.run_files(folder, *RUN_FILES)]


def run_of(wildcards):
    return experiment(wildcards).runs[wildcards.run]


def training_code(script):
    """The code of what trains: the script's, and the components that the settings of the run choose."""

    def digest(wildcards):
        settings = run_of(wildcards).settings
        return code(script, components.used(settings), components.declared(settings))

    return digest


def weights_file(wildcards):
    """The file of weights to start from, where the settings name one."""
    weights = run_of(wildcards).settings.weights
    return [] if weights in ("imagenet", "none") else weights


rule train:
    input:
        pack="results/{experiment}/pack/train.npy",
        index="results/{experiment}/pack/train.index.csv",
        split=lambda wildcards: f"results/{wildcards.experiment}/splits/{run_of(wildcards).settings.split}.csv",
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
    threads: CORES // TRAININGS
    resources:
        gpu=1,
    params:
        settings=lambda wildcards: run_of(wildcards).identity,
        code=training_code("train.py"),
    script:
        "../scripts/train.py"
