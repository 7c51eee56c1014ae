# The best runs of a study, trained again with the final overrides, and what they predict for the test images.


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
        members=lambda wildcards: experiment(wildcards).final.ensemble,
        final_runs=lambda wildcards: {
            folder: run.folder for folder, run in experiment(wildcards).final_runs.items()
        },
        code=code("best.py"),
    script:
        "../scripts/best.py"


def final_folders(name):
    """The folders of the runs that the final trainings are, the best first.

    They are known once the checkpoint has picked the winners.
    """
    best = checkpoints.best.get(experiment=name).output[0]
    return [member["final_folder"] for member in json.loads(Path(best).read_text())["members"]]


def final_run(*files, members=None, **known):
    """Files of the final runs: each file for every fold of one run after the other.

    members: how many of the runs, the best first, all by default. known: `experiment`, for a rule without
    that wildcard.
    """

    def paths(wildcards):
        name = {**wildcards, **known}["experiment"]
        folders = final_folders(name)[:members]
        return results(
            name,
            [path for file in files for run in folders for path in EXPERIMENTS[name].run_files(run, file)],
        )

    return paths


def final_settings(wildcards):
    """The settings of each final run, the best first."""
    runs = experiment(wildcards).runs
    return [runs[folder].settings for folder in final_folders(wildcards.experiment)]


def retrained_with(wildcards):
    """The settings in which the first final run differs from the run that was chosen."""
    best = json.loads(Path(checkpoints.best.get(experiment=wildcards.experiment).output[0]).read_text())
    runs = experiment(wildcards).runs
    chosen, final = (vars(runs[best[folder]].settings) for folder in ("folder", "final_folder"))
    return {key: value for key, value in sorted(final.items()) if value != chosen[key]}


def averaging(wildcards):
    """How the final runs are averaged."""
    return experiment(wildcards).final.averaging


def prediction_code(script):
    """The code of a prediction, with those components of the final runs that play a part in it."""

    def digest(wildcards):
        parts = {part for settings in final_settings(wildcards) for part in components.predicting(settings)}
        return code(script, sorted(parts))

    return digest


def final_split_name(wildcards):
    """The split that the final runs trained and validated on, the same for all of them."""
    return final_settings(wildcards)[0].split


def final_split(wildcards):
    return f"results/{wildcards.experiment}/splits/{final_split_name(wildcards)}.csv"


def rank_references(wildcards):
    """The validation predictions of the final runs, where ranks among them are averaged."""
    by_rank = experiment(wildcards).final.average == "rank"
    return final_run("predictions.csv")(wildcards) if by_rank else []


# Before trainings where either could run, since it may stop the workflow. They do not depend on it: an edit of
# the sample submission would train all runs again.
rule test_ids:
    input:
        sample=lambda wildcards: experiment(wildcards).dataset.sample_submission or [],
        index="results/{experiment}/pack/test.index.parquet",
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
        references=rank_references,
        pack="results/{experiment}/pack/test.npy",
        index="results/{experiment}/pack/test.index.parquet",
    output:
        "results/{experiment}/final/test_predictions.csv",
    log:
        "results/{experiment}/logs/predict_test.log",
    threads: CORES // TRAININGS
    resources:
        gpu=1,
    params:
        ensemble=averaging,
        code=prediction_code("predict_test.py"),
    script:
        "../scripts/predict_test.py"


def recalibration(wildcards):
    """The metrics, which hold the recalibration, where the submission is to be calibrated."""
    calibrated = experiment(wildcards).final.calibrated
    return f"results/{wildcards.experiment}/final/metrics.json" if calibrated else []


rule submission:
    input:
        predictions="results/{experiment}/final/test_predictions.csv",
        # Not read. Where the choice of the winner comes out as before, Snakemake looks again only at jobs
        # that ask for it themselves; without this the submission would be written once more.
        run=final_run("run.json"),
        metrics=recalibration,
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
