# Successive halving: the runs of a study pause at the end of a rung, and the better ones go on.
from histopatch.halving import rung_file


@keeps
def rung_tables(experiment):
    return [
        f"tables/rungs/{study}-{epochs}.csv" for study, rungs in experiment.rungs.items() for epochs in rungs
    ]


def still_there(name, study, epochs):
    """The folders of the runs of a study that no rung has stopped which ends before so many epochs."""
    asked = EXPERIMENTS[name]
    before = [end for end in asked.rungs[study] if end < epochs]
    if not before:
        return [run.folder for run in asked.studies[study].values()]
    from histopatch.evaluation.rungs import going_on  # loads SciPy, which most plans can do without

    return going_on(checkpoints.promote.get(experiment=name, study=study, epochs=before[-1]).output[0])


def trained_folders(name):
    """The folders of the runs of all studies that are trained to their end, each once."""
    return sorted({run for study in EXPERIMENTS[name].studies for run in still_there(name, study, math.inf)})


def rung_files(name, study, epochs):
    """What the runs write that are still there at the end of a rung."""
    paths = [EXPERIMENTS[name].run_files(run, rung_file(epochs)) for run in still_there(name, study, epochs)]
    return results(name, itertools.chain(*paths))


def all_rung_files(name):
    return [
        path
        for study, rungs in EXPERIMENTS[name].rungs.items()
        for epochs in rungs
        for path in rung_files(name, study, epochs)
    ]


def candidates(wildcards):
    """The runs that a rung compares, as plain values."""
    there = still_there(wildcards.experiment, wildcards.study, int(wildcards.epochs))
    return [run for run in experiment(wildcards).candidates(wildcards.study) if run["folder"] in there]


checkpoint promote:
    input:
        lambda wildcards: rung_files(wildcards.experiment, wildcards.study, int(wildcards.epochs)),
    output:
        "results/{experiment}/tables/rungs/{study}-{epochs}.csv",
    log:
        "results/{experiment}/logs/rung-{study}-{epochs}.log",
    wildcard_constraints:
        epochs=r"\d+",
    params:
        runs=candidates,
        going_on=lambda wildcards: experiment(wildcards).rungs[wildcards.study][int(wildcards.epochs)],
        root="results/{experiment}/runs",
        code=code("promote.py"),
    script:
        "../scripts/promote.py"
