# How good the final model is, on patches that had no part in a choice where there are some; and all in words.

FINAL_TABLES = [
    "metrics.json",
    "operating_points.csv",
    "reliability.csv",
    "roc.csv",
    "precision_recall.csv",
    "decision_curve.csv",
    "abstaining.csv",
    "error_by_coverage.csv",
    "auc_by_group.csv",
]


@keeps
def kept_performance(experiment):
    held_out = ["held_out_predictions.csv"] if experiment.holds_out else []
    tables = ("subgroups.csv", "heterogeneity.csv", "suspect_labels.csv", "errors.csv")
    files = (*FINAL_TABLES, *tables, *held_out)
    texts = ("summary.md", "checklists.md", "tripod_ai.csv", "stard_ai.csv")
    return [f"final/{file}" for file in files] + [f"tables/{text}" for text in texts]


def held_out_predictions(wildcards):
    path = f"results/{wildcards.experiment}/final/held_out_predictions.csv"
    return path if experiment(wildcards).holds_out else []


rule predict_held_out:
    input:
        models=final_run("model.safetensors"),
        reports=final_run("run.json"),
        references=rank_references,
        pack="results/{experiment}/pack/train.npy",
        index="results/{experiment}/pack/train.index.parquet",
        split=final_split,
    output:
        "results/{experiment}/final/held_out_predictions.csv",
    log:
        "results/{experiment}/logs/predict_held_out.log",
    threads: CORES // TRAININGS
    resources:
        gpu=1,
    params:
        ensemble=averaging,
        code=prediction_code("predict_held_out.py"),
    script:
        "../scripts/predict_held_out.py"


rule final_metrics:
    input:
        best="results/{experiment}/final/best.json",
        predictions=final_run("predictions.csv"),
        held_out=held_out_predictions,
        split=final_split,
    output:
        metrics=report(
            "results/{experiment}/final/metrics.json",
            caption="../report/metrics.rst",
            category="3 Final model",
            labels={"what": "metrics"},
        ),
        operating_points=report(
            "results/{experiment}/final/operating_points.csv",
            caption="../report/confusion.rst",
            category="3 Final model",
            labels={"what": "operating points, table"},
        ),
        reliability="results/{experiment}/final/reliability.csv",
        roc="results/{experiment}/final/roc.csv",
        precision_recall="results/{experiment}/final/precision_recall.csv",
        decision_curve="results/{experiment}/final/decision_curve.csv",
        abstaining="results/{experiment}/final/abstaining.csv",
        error_by_coverage="results/{experiment}/final/error_by_coverage.csv",
        auc_by_group="results/{experiment}/final/auc_by_group.csv",
    log:
        "results/{experiment}/logs/final_metrics.log",
    params:
        split=lambda wildcards: plain_split(experiment(wildcards).splits[final_split_name(wildcards)]),
        ensemble=averaging,
        prevalences=lambda wildcards: [*experiment(wildcards).final.prevalences],
        code=code("final_metrics.py"),
    script:
        "../scripts/final_metrics.py"


def named_groups(wildcards):
    """The groups of patches that people name, where they do."""
    return f"results/{wildcards.experiment}/labels/groups.csv" if experiment(wildcards).groups else []


rule subgroups:
    input:
        predictions=final_run("predictions.csv"),
        held_out=held_out_predictions,
        split=final_split,
        operating_points="results/{experiment}/final/operating_points.csv",
        clusters="results/{experiment}/pack/train.clusters.csv",
        named=named_groups,
    output:
        subgroups=report(
            "results/{experiment}/final/subgroups.csv",
            caption="../report/subgroups.rst",
            category="3 Final model",
            labels={"what": "subgroups, table"},
        ),
        tests="results/{experiment}/final/heterogeneity.csv",
    log:
        "results/{experiment}/logs/subgroups.log",
    params:
        ensemble=averaging,
        code=code("subgroups.py"),
    script:
        "../scripts/subgroups.py"


rule label_errors:
    input:
        predictions=final_run("predictions.csv"),
        held_out=held_out_predictions,
        split=final_split,
    output:
        report(
            "results/{experiment}/final/suspect_labels.csv",
            caption="../report/suspect_labels.rst",
            category="3 Final model",
            labels={"what": "labels to look at again, table"},
        ),
    log:
        "results/{experiment}/logs/label_errors.log",
    params:
        ensemble=averaging,
        code=code("label_errors.py"),
    script:
        "../scripts/label_errors.py"


rule errors:
    input:
        predictions=final_run("predictions.csv"),
        held_out=held_out_predictions,
        split=final_split,
        operating_points="results/{experiment}/final/operating_points.csv",
    output:
        report(
            "results/{experiment}/final/errors.csv",
            caption="../report/errors.rst",
            category="3 Final model",
            labels={"what": "misclassified patches, table"},
        ),
    log:
        "results/{experiment}/logs/errors.log",
    params:
        ensemble=averaging,
        code=code("errors.py"),
    script:
        "../scripts/errors.py"


def external_tables(wildcards):
    """The tables of the external data sets, where there are any."""
    tables = ("external.csv", "external_operating_points.csv") if experiment(wildcards).external else ()
    return results(wildcards.experiment, [f"final/{table}" for table in tables])


def test_ids(wildcards):
    """The ids of the submission, where there is one."""
    predicts = "test" in experiment(wildcards).dataset.parts
    return f"results/{wildcards.experiment}/labels/test_ids.csv" if predicts else []


rule summary:
    input:
        cleaning="results/{experiment}/labels/summary.json",
        giveaways="results/{experiment}/explore/giveaways.csv",
        test_ids=test_ids,
        verdicts=verdicts,
        runs="results/{experiment}/tables/runs.csv",
        seeds="results/{experiment}/tables/seeds.csv",
        effects="results/{experiment}/tables/effects.csv",
        choice="results/{experiment}/tables/choice.csv",
        best="results/{experiment}/final/best.json",
        metrics="results/{experiment}/final/metrics.json",
        attribution="results/{experiment}/final/attribution.json",
        operating_points="results/{experiment}/final/operating_points.csv",
        decision_curve="results/{experiment}/final/decision_curve.csv",
        abstaining="results/{experiment}/final/abstaining.csv",
        subgroups="results/{experiment}/final/subgroups.csv",
        heterogeneity="results/{experiment}/final/heterogeneity.csv",
        suspect_labels="results/{experiment}/final/suspect_labels.csv",
        splits=split_tables,
        external=external_tables,
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
        splits=plain_splits,
        final_study=lambda wildcards: experiment(wildcards).final.study,
        retrained_with=retrained_with,
        code=code("summary.py"),
    script:
        "../scripts/summary.py"


def of_final_split(kind):
    """A file that is made of the split of the final runs."""
    path = "results/{experiment}/splits/{split}.{kind}"
    return lambda wildcards: path.format(split=final_split_name(wildcards), kind=kind, **wildcards)


rule checklists:
    input:
        cleaning="results/{experiment}/labels/summary.json",
        flow=of_final_split("flow.csv"),
        audit=of_final_split("audit.json"),
        giveaways="results/{experiment}/explore/giveaways.csv",
        run=lambda wildcards: final_run("run.json", members=1)(wildcards)[0],
        best="results/{experiment}/final/best.json",
        runs="results/{experiment}/tables/runs.csv",
        metrics="results/{experiment}/final/metrics.json",
        reliability="results/{experiment}/final/reliability.csv",
        operating_points="results/{experiment}/final/operating_points.csv",
        auc_by_group="results/{experiment}/final/auc_by_group.csv",
        attribution="results/{experiment}/final/attribution.json",
        suspect_labels="results/{experiment}/final/suspect_labels.csv",
    output:
        tripod_ai="results/{experiment}/tables/tripod_ai.csv",
        stard_ai="results/{experiment}/tables/stard_ai.csv",
        text=report(
            "results/{experiment}/tables/checklists.md",
            caption="../report/checklists.rst",
            category="3 Final model",
            labels={"what": "reporting checklists"},
        ),
    log:
        "results/{experiment}/logs/checklists.log",
    params:
        root="results/{experiment}",
        code=code("checklists.py"),
    script:
        "../scripts/checklists.py"
