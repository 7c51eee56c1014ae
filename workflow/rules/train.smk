# One training for each fold of a run. The final training is a run like any other.

RUN_FILES = ["model.safetensors", "history.csv", "predictions.csv", "run.json"]
BANK_FILES = ["npy", "safetensors", "json"]


@keeps
def kept_features(experiment):
    return [
        f"features/{bank}.{kind}"
        for bank in banks_of(experiment.study_folders, experiment)
        for kind in BANK_FILES
    ]


def banks_of(folders, experiment):
    """The feature banks of some runs by name."""
    found = [bank_of(experiment.runs[folder].identity) for folder in folders]
    return {bank.name: bank for bank in found if bank}


def bank_named(wildcards):
    return banks_of(experiment(wildcards).runs, experiment(wildcards))[wildcards.bank]


def encoder_weights(wildcards):
    """The file of weights of the encoder, where the settings name one."""
    weights = bank_named(wildcards).settings.weights
    return [] if weights in ("imagenet", "none") else weights


def encoder_code(wildcards):
    settings = bank_named(wildcards).settings
    return code("features.py", [components.backbone(settings)], components.declared(settings))


rule features:
    input:
        pack="results/{experiment}/pack/train.npy",
        weights=encoder_weights,
    output:
        features="results/{experiment}/features/{bank}.npy",
        encoder="results/{experiment}/features/{bank}.safetensors",
        report="results/{experiment}/features/{bank}.json",
    log:
        "results/{experiment}/logs/features-{bank}.log",
    wildcard_constraints:
        bank="[^/]+",
    threads: CORES // TRAININGS
    resources:
        gpu=1,
    params:
        settings=lambda wildcards: bank_named(wildcards).identity,
        code=encoder_code,
    script:
        "../scripts/features.py"


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


def bank_files(wildcards):
    """The features that a head trains on, and the encoder that made them."""
    bank = bank_of(run_of(wildcards).identity)
    return (
        [f"results/{wildcards.experiment}/features/{bank.name}.{kind}" for kind in BANK_FILES] if bank else []
    )


def trained_on(wildcards):
    """The pack, or the features of its patches."""
    features = bank_files(wildcards)
    return features[0] if features else f"results/{wildcards.experiment}/pack/train.npy"


def gpus_held(wildcards):
    """The GPUs that a training holds: none for a head, which is trained in seconds on one core."""
    settings = run_of(wildcards).settings
    return settings.gpus if settings.feature_head == "none" else 0


rule train:
    input:
        pack=trained_on,
        bank=bank_files,
        index="results/{experiment}/pack/train.index.parquet",
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
    threads: lambda wildcards: gpus_held(wildcards) * (CORES // TRAININGS) or 1
    resources:
        gpu=gpus_held,
    params:
        settings=lambda wildcards: run_of(wildcards).identity,
        code=training_code("train.py"),
    script:
        "../scripts/train.py"


def whole_training(wildcards):
    """The run as a study without halving trains it to its end, which comes first: the rung is read from it."""
    if wildcards.run not in experiment(wildcards).whole_folders:
        return []
    folder = f"results/{wildcards.experiment}/runs/{wildcards.run}/fold-{wildcards.fold}"
    return [f"{folder}/history.csv", f"{folder}/run.json"]


# The same training, up to the end of a rung; `train` goes on from there.
use rule train as rung with:
    input:
        pack=trained_on,
        bank=bank_files,
        index="results/{experiment}/pack/train.index.parquet",
        split=lambda wildcards: f"results/{wildcards.experiment}/splits/{run_of(wildcards).settings.split}.csv",
        weights=weights_file,
        whole=whole_training,
    output:
        "results/{experiment}/runs/{run}/fold-{fold}/rung-{epochs}.json",
    log:
        "results/{experiment}/logs/train-{run}-fold-{fold}-rung-{epochs}.log",
    wildcard_constraints:
        fold=r"\d+",
        epochs=r"\d+",
