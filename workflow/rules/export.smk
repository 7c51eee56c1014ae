# What people take away: the final model in files that need none of the tables, and its card.


@keeps
def kept_model(experiment):
    return [f"final/model/{file}" for file in ("model.safetensors", "model.onnx", "model.json", "README.md")]


rule export:
    input:
        best="results/{experiment}/final/best.json",
        models=final_run("model.safetensors"),
        reports=final_run("run.json"),
        references=rank_references,
        predictions=final_run("predictions.csv"),
        metrics="results/{experiment}/final/metrics.json",
        operating_points="results/{experiment}/final/operating_points.csv",
        pack="results/{experiment}/pack/train.npy",
        appearance="results/{experiment}/pack/train.appearance.csv",
        split=final_split,
    output:
        weights="results/{experiment}/final/model/model.safetensors",
        onnx="results/{experiment}/final/model/model.onnx",
        description="results/{experiment}/final/model/model.json",
    log:
        "results/{experiment}/logs/export.log",
    params:
        ensemble=averaging,
        positive=lambda wildcards: getattr(experiment(wildcards).dataset, "positive", None),
        microns_per_pixel=lambda wildcards: experiment(wildcards).microns_per_pixel,
        code=code("export.py"),
    script:
        "../scripts/export.py"


rule model_card:
    input:
        description="results/{experiment}/final/model/model.json",
        reports=final_run("run.json"),
        cleaning="results/{experiment}/labels/summary.json",
        flow=of_final_split("flow.csv"),
        audit=of_final_split("audit.json"),
        giveaways="results/{experiment}/explore/giveaways.csv",
        best="results/{experiment}/final/best.json",
        metrics="results/{experiment}/final/metrics.json",
        operating_points="results/{experiment}/final/operating_points.csv",
        subgroups="results/{experiment}/final/subgroups.csv",
        heterogeneity="results/{experiment}/final/heterogeneity.csv",
        runs="results/{experiment}/tables/runs.csv",
        seeds="results/{experiment}/tables/seeds.csv",
        external=external_tables,
    output:
        report(
            "results/{experiment}/final/model/README.md",
            caption="../report/model_card.rst",
            category="3 Final model",
            labels={"what": "model card"},
        ),
    log:
        "results/{experiment}/logs/model_card.log",
    params:
        code=code("model_card.py"),
    script:
        "../scripts/model_card.py"
