# Patches, in shards: a job predicts one, and what is finished stays where patches come or change.
from histopatch.files import read_table
from histopatch.prediction.inputs import list_patches
from histopatch.prediction.request import PATCHES
from histopatch.prediction.shards import assign


@answers(*PATCHES)
def patch_files():
    return ["predictions.csv", "summary.txt", *(f"shards/{shard}.csv" for shard in SHARDS)]


def shards():
    """The shards of the input. They are made once, before any job: a job on another machine reads them."""
    if workflow.is_main_process:
        found = or_one_line(list_patches, ASKED)
        return or_one_line(assign, OUT, found, ASKED.description["patch_size"]).shard.unique()
    return read_table(f"{OUT}/input.csv").shard.unique()


SHARDS = shards()


rule predict_patches:
    input:
        **ASKED.model_files,
        patches=f"{OUT}/shards/{{shard}}.input.csv",
    output:
        f"{OUT}/shards/{{shard}}.csv",
    log:
        f"{OUT}/logs/shard-{{shard}}.log",
    wildcard_constraints:
        shard=r"\d+",
    threads: CORES
    resources:
        gpu=1,
    params:
        model=ASKED.model,
        root=ASKED.root,
        code=code("predict_patches.py", ASKED.components),
    script:
        "../scripts/predict_patches.py"


rule predictions:
    input:
        description=ASKED.model_files["description"],
        patches=f"{OUT}/input.csv",
        shards=[f"{OUT}/shards/{shard}.csv" for shard in SHARDS],
    output:
        table=f"{OUT}/predictions.csv",
        summary=f"{OUT}/summary.txt",
    log:
        f"{OUT}/logs/predictions.log",
    params:
        point=ASKED.point,
        abstain=ASKED.abstain,
        code=code("predictions.py"),
    script:
        "../scripts/predictions.py"
