# The winner of a study, trained again with the final overrides, and what it predicts for the test images.


@keeps
def kept_final(experiment):
    predicted = ["labels/test_ids.csv", "final/test_predictions.csv", "submission.csv"]
    return ["final/best.json", *(predicted if "test" in experiment.dataset.parts else [])]


checkpoint best:
    input:
        lambda wildcards: f"results/{wildcards.experiment}/tables/{experiment(wildcards).final.study}.csv",
    output:
        "results/{experiment}/final/best.json",
    log:
        "results/{experiment}/logs/best.log",
    params:
        metric=lambda wildcards: experiment(wildcards).final.metric,
        select=lambda wildcards: experiment(wildcards).final.select,
        final_runs=lambda wildcards: {
            folder: run.folder for folder, run in experiment(wildcards).final_runs.items()
        },
        code=code("best.py"),
    script:
        "../scripts/best.py"


def final_folder(name):
    """The folder of the run that the final training is, known once the checkpoint has picked the winner."""
    best = checkpoints.best.get(experiment=name).output[0]
    return json.loads(Path(best).read_text())["final_folder"]


def final_run(*files, **known):
    """Files of the final run, for each of its folds. known: `experiment`, for a rule without that wildcard."""

    def paths(wildcards):
        name = {**wildcards, **known}["experiment"]
        return results(name, EXPERIMENTS[name].run_files(final_folder(name), *files))

    return paths


def final_settings(wildcards):
    return experiment(wildcards).runs[final_folder(wildcards.experiment)].settings


def prediction_code(script):
    """The code of a prediction, with those components of the final run that play a part in it."""
    return lambda wildcards: code(script, components.predicting(final_settings(wildcards)))


def final_split(wildcards):
    """The split that the final run trained and validated on."""
    return f"results/{wildcards.experiment}/splits/{final_settings(wildcards).split}.csv"


# Before trainings where either could run, since it may stop the workflow. They do not depend on it: an edit of
# the sample submission would train all runs again.
rule test_ids:
    input:
        sample=lambda wildcards: experiment(wildcards).dataset.sample_submission or [],
        index="results/{experiment}/pack/test.index.csv",
        set_aside="results/{experiment}/pack/test.rejected.csv",
    output:
        "results/{experiment}/labels/test_ids.csv",
    log:
        "results/{experiment}/logs/test_ids.log",
    priority: 1
    params:
        unusable=lambda wildcards: experiment(wildcards).final.unusable_images,
        code=code("test_ids.py"),
    script:
        "../scripts/test_ids.py"


rule predict_test:
    input:
        models=final_run("model.safetensors"),
        reports=final_run("run.json"),
        pack="results/{experiment}/pack/test.npy",
        index="results/{experiment}/pack/test.index.csv",
    output:
        "results/{experiment}/final/test_predictions.csv",
    log:
        "results/{experiment}/logs/predict_test.log",
    threads: CORES // TRAININGS
    resources:
        gpu=1,
    params:
        code=prediction_code("predict_test.py"),
    script:
        "../scripts/predict_test.py"


def temperature(wildcards):
    """The metrics, which hold the temperature, where the submission is to be calibrated."""
    calibrated = experiment(wildcards).final.calibrated
    return f"results/{wildcards.experiment}/final/metrics.json" if calibrated else []


rule submission:
    input:
        predictions="results/{experiment}/final/test_predictions.csv",
        # Not read. Where the choice of the winner comes out as before, Snakemake looks again only at jobs
        # that ask for it themselves; without this the submission would be written once more.
        run=final_run("run.json"),
        metrics=temperature,
        test_ids="results/{experiment}/labels/test_ids.csv",
    output:
        report(
            "results/{experiment}/submission.csv",
            caption="../report/submission.rst",
            category="3 Final model",
            labels={"what": "submission"},
        ),
    log:
        "results/{experiment}/logs/submission.log",
    params:
        unusable=lambda wildcards: experiment(wildcards).final.unusable_images,
        code=code("submission.py"),
    script:
        "../scripts/submission.py"
