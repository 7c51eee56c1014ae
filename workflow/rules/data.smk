# From whatever the data set is made of to a pack, clean labels and splits.


@keeps
def kept_data(experiment):
    files = []
    if experiment.dataset.recipe:
        made = ["train", "test", "train_labels.csv", "slides.csv", "sample_submission.csv"]
        files += [f"source/{file}" for file in made]
    for part in experiment.dataset.parts:
        files += [f"pack/{part}.{kind}" for kind in ("npy", "index.parquet", "rejected.csv")]
        files += [f"pack/{part}.shards/{shard}" for shard in shard_files(experiment, "npy", "parquet")]
    files += [f"pack/train.{table}.csv" for table in ("duplicates", "appearance", "clusters")]
    files += [f"labels/{file}" for file in ("clean.csv", "rejected.csv", "summary.json")]
    files += ["labels/groups.csv"] if experiment.groups else []
    for split in experiment.splits:
        kinds = ("csv", "flow.csv", "audit.json", "audit.csv", "audit.txt")
        files += [f"splits/{split}.{kind}" for kind in kinds]
    return files


rule synthetic:
    output:
        train=directory("results/{experiment}/source/train"),
        test=directory("results/{experiment}/source/test"),
        labels="results/{experiment}/source/train_labels.csv",
        slides="results/{experiment}/source/slides.csv",
        sample="results/{experiment}/source/sample_submission.csv",
    log:
        "results/{experiment}/logs/synthetic.log",
    threads: 8
    params:
        recipe=lambda wildcards: experiment(wildcards).dataset.recipe,
        code=code("synthetic.py"),
    script:
        "../scripts/synthetic.py"


def described(purpose):
    """What a job must know of the data set to read its images, labels or slides."""
    return lambda wildcards: plain(experiment(wildcards).dataset, purpose)


def files_with(purpose):
    """The files, other than images, that these are read from."""
    return lambda wildcards: experiment(wildcards).dataset.files(purpose)


def data_code(script):
    """The code of a step that reads the data set: of the formats, only its own plays a part."""
    return lambda wildcards: code(script, [f"data.formats.{experiment(wildcards).dataset.name}"])


@functools.cache
def image_facts_of(name, part, shard=None):
    dataset = EXPERIMENTS[name].dataset
    if dataset.recipe:
        return {"made": dataset.recipe, "by": code("synthetic.py")}
    if dataset.files("images"):
        return {}
    images = dataset.images(part)
    if shard:
        images = images[part_of(len(images), *numbers_of(shard))]
    return {"images": names_digest(images)}


def image_facts(wildcards):
    """What the pack, or a shard of it, depends on besides files: the names of the images, or how they are made.

    A folder is no fact: a touch or a stray file in it changes its modification time.
    """
    return image_facts_of(wildcards.experiment, wildcards.part, wildcards.get("shard"))


def shard_files(experiment, *kinds):
    """The names of the shards' files of some kinds; none where the pack is one array."""
    count = experiment.shards
    shards = range(1, count + 1) if count > 1 else ()
    return [f"{shard}-of-{count}.{kind}" for kind in kinds for shard in shards]


def numbers_of(shard):
    """`3-of-8` as two numbers."""
    return tuple(map(int, shard.split("-of-")))


def shards(kind):
    def paths(wildcards):
        folder = "results/{experiment}/pack/{part}.shards".format(**wildcards)
        return [f"{folder}/{file}" for file in shard_files(experiment(wildcards), kind)]

    return paths


rule pack_shard:
    input:
        files_with("images"),
    output:
        array="results/{experiment}/pack/{part}.shards/{shard}.npy",
        table="results/{experiment}/pack/{part}.shards/{shard}.parquet",
    log:
        "results/{experiment}/logs/pack-{part}-{shard}.log",
    wildcard_constraints:
        shard=r"\d+-of-\d+",
    priority: 1
    threads: 8
    params:
        dataset=described("images"),
        patch_size=lambda wildcards: patch_size(experiment(wildcards).dataset),
        images=image_facts,
        shard=lambda wildcards: numbers_of(wildcards.shard),
        code=data_code("pack_shard.py"),
    script:
        "../scripts/pack_shard.py"


rule pack:
    input:
        files=files_with("images"),
        shards=shards("npy"),
        tables=shards("parquet"),
    output:
        array="results/{experiment}/pack/{part}.npy",
        index="results/{experiment}/pack/{part}.index.parquet",
        rejected="results/{experiment}/pack/{part}.rejected.csv",
    log:
        "results/{experiment}/logs/pack-{part}.log",
    priority: 1
    threads: 8
    params:
        dataset=described("images"),
        patch_size=lambda wildcards: patch_size(experiment(wildcards).dataset),
        images=image_facts,
        code=data_code("pack.py"),
    script:
        "../scripts/pack.py"


rule clean:
    input:
        labels=files_with("labels"),
        index="results/{experiment}/pack/train.index.parquet",
        set_aside="results/{experiment}/pack/train.rejected.csv",
    output:
        clean="results/{experiment}/labels/clean.csv",
        rejected=report(
            "results/{experiment}/labels/rejected.csv",
            caption="../report/rejected.rst",
            category="1 Data",
            labels={"what": "rejected rows and images"},
        ),
        summary="results/{experiment}/labels/summary.json",
    log:
        "results/{experiment}/logs/clean.log",
    params:
        dataset=described("labels"),
        cleaning=lambda wildcards: plain_cleaning(experiment(wildcards).cleaning),
        code=data_code("clean.py"),
    script:
        "../scripts/clean.py"


# Splits and their audit come before trainings where either could run, since an audit may stop the workflow.
rule duplicates:
    input:
        pack="results/{experiment}/pack/train.npy",
        index="results/{experiment}/pack/train.index.parquet",
    output:
        "results/{experiment}/pack/train.duplicates.csv",
    log:
        "results/{experiment}/logs/duplicates.log",
    priority: 1
    threads: 8
    params:
        code=code("duplicates.py"),
    script:
        "../scripts/duplicates.py"


rule appearance:
    input:
        pack="results/{experiment}/pack/train.npy",
        index="results/{experiment}/pack/train.index.parquet",
    output:
        "results/{experiment}/pack/train.appearance.csv",
    log:
        "results/{experiment}/logs/appearance.log",
    priority: 1
    threads: 8
    params:
        code=code("appearance.py"),
    script:
        "../scripts/appearance.py"


rule clusters:
    input:
        "results/{experiment}/pack/train.appearance.csv",
    output:
        "results/{experiment}/pack/train.clusters.csv",
    log:
        "results/{experiment}/logs/clusters.log",
    params:
        code=code("clusters.py"),
    script:
        "../scripts/clusters.py"


rule groups:
    input:
        labels="results/{experiment}/labels/clean.csv",
        slides=files_with("slides"),
        table=lambda wildcards: experiment(wildcards).groups,
    output:
        "results/{experiment}/labels/groups.csv",
    log:
        "results/{experiment}/logs/groups.log",
    priority: 1
    params:
        dataset=described("slides"),
        code=data_code("groups.py"),
    script:
        "../scripts/groups.py"


def split_of(wildcards):
    return experiment(wildcards).splits[wildcards.split]


def made(file, needs):
    """A table of the patches, for the splits that need it."""
    path = f"results/{{experiment}}/{file}.csv"
    return lambda wildcards: path.format(**wildcards) if needs(split_of(wildcards)) else []


rule split:
    input:
        labels="results/{experiment}/labels/clean.csv",
        slides=files_with("slides"),
        appearance=made("pack/train.appearance", lambda split: split.group_by == "appearance"),
        duplicates=made("pack/train.duplicates", lambda split: split.keep_duplicates_together),
        groups=made("labels/groups", lambda split: by_column(split.group_by)),
    output:
        "results/{experiment}/splits/{split}.csv",
    log:
        "results/{experiment}/logs/split-{split}.log",
    priority: 1
    params:
        dataset=described("slides"),
        split=lambda wildcards: plain_split(split_of(wildcards)),
        code=data_code("split.py"),
    script:
        "../scripts/split.py"


rule flow:
    input:
        index="results/{experiment}/pack/train.index.parquet",
        set_aside="results/{experiment}/pack/train.rejected.csv",
        rejected="results/{experiment}/labels/rejected.csv",
        split="results/{experiment}/splits/{split}.csv",
        slides=files_with("slides"),
    output:
        report(
            "results/{experiment}/splits/{split}.flow.csv",
            caption="../report/flow.rst",
            category="1 Data",
            labels={"what": "flow of patches into split {split}, table"},
        ),
    log:
        "results/{experiment}/logs/flow-{split}.log",
    params:
        dataset=described("slides"),
        code=data_code("flow.py"),
    script:
        "../scripts/flow.py"


rule audit:
    input:
        split="results/{experiment}/splits/{split}.csv",
        duplicates="results/{experiment}/pack/train.duplicates.csv",
    output:
        report="results/{experiment}/splits/{split}.audit.json",
        pairs=report(
            "results/{experiment}/splits/{split}.audit.csv",
            caption="../report/audit.rst",
            category="1 Data",
            labels={"what": "leakage audit of split {split}, table"},
        ),
    log:
        "results/{experiment}/logs/audit-{split}.log",
    priority: 1
    params:
        code=code("audit.py"),
    script:
        "../scripts/audit.py"


# A job of its own: where it stops the workflow, the files of the audit stay. The tables of the runs need
# its verdict, the trainings do not: a change of `on_leak` would train them all again.
rule verdict:
    input:
        report="results/{experiment}/splits/{split}.audit.json",
        pairs="results/{experiment}/splits/{split}.audit.csv",
    output:
        "results/{experiment}/splits/{split}.audit.txt",
    log:
        "results/{experiment}/logs/verdict-{split}.log",
    priority: 1
    params:
        on_leak=lambda wildcards: split_of(wildcards).on_leak,
        code=code("verdict.py"),
    script:
        "../scripts/verdict.py"
