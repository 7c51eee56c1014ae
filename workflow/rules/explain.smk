# Where the final model looks, on patches that it did not train on: the best run, where several are one model.

EXPLANATIONS = ["attribution.csv", "attribution.json", "confident.csv", "confident.npy"]


@keeps
def kept_explanations(experiment):
    return [f"final/{file}" for file in EXPLANATIONS]


rule explain:
    input:
        models=final_run("model.safetensors", members=1),
        reports=final_run("run.json", members=1),
        predictions=final_run("predictions.csv", members=1),
        held_out=held_out_predictions,
        split=final_split,
        pack="results/{experiment}/pack/train.npy",
        index="results/{experiment}/pack/train.index.parquet",
    output:
        attribution=report(
            "results/{experiment}/final/attribution.csv",
            caption="../report/attribution.rst",
            category="3 Final model",
            labels={"what": "where it looks, table"},
        ),
        summary="results/{experiment}/final/attribution.json",
        confident="results/{experiment}/final/confident.csv",
        maps="results/{experiment}/final/confident.npy",
    log:
        "results/{experiment}/logs/explain.log",
    threads: CORES // TRAININGS
    resources:
        gpu=1,
    params:
        ensemble=averaging,
        code=prediction_code("explain.py"),
    script:
        "../scripts/explain.py"
