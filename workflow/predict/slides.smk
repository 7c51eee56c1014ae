# Slides and other images larger than a patch: a job for each.
from histopatch.slides.inputs import list_slides
from histopatch.slides.request import check_resolutions, read_tiling


@answers(SLIDES)
def slide_files():
    each = ("heat_map.png", "tiles.csv", "tiles.geojson", "slide.json")
    return [
        "slides.csv",
        "aurocs.csv",
        "summary.txt",
        *(f"slides/{name}/{file}" for name in FILES for file in each),
    ]


def read_slides():
    """The table of slides and how they are tiled; where a resolution is unknown it is asked for before any job."""
    slides, tiling = list_slides(ASKED.input), read_tiling(config, ASKED.point, ASKED.description)
    if workflow.is_main_process:
        check_resolutions(slides.file, tiling)
    return slides, tiling


found, TILING = or_one_line(read_slides)
FILES = dict(zip(found.slide, found.file))
LABELS = dict(zip(found.slide, found.label)) if "label" in found else {}


def stamped(file):
    """A file with what tells that another one has taken its place, even an older one."""
    status = os.stat(file) if os.path.exists(file) else None
    return {"path": file} | ({"bytes": status.st_size, "modified": status.st_mtime_ns} if status else {})


rule predict_slide:
    input:
        **ASKED.model_files,
        # One that is missing is for its job to report.
        slide=lambda wildcards: [file for file in [FILES[wildcards.slide]] if os.path.exists(file)],
    output:
        tiles=f"{OUT}/slides/{{slide}}/tiles.csv",
        heat_map=f"{OUT}/slides/{{slide}}/heat_map.png",
        objects=f"{OUT}/slides/{{slide}}/tiles.geojson",
        summary=f"{OUT}/slides/{{slide}}/slide.json",
    log:
        f"{OUT}/logs/slide-{{slide}}.log",
    wildcard_constraints:
        slide="[^/]+",
    threads: CORES
    resources:
        gpu=1,
    params:
        model=ASKED.model,
        file=lambda wildcards: stamped(FILES[wildcards.slide]),
        tiling=vars(TILING),
        code=code("predict_slide.py", ASKED.components),
    script:
        "../scripts/predict_slide.py"


rule slides:
    input:
        summaries=[f"{OUT}/slides/{slide}/slide.json" for slide in FILES],
    output:
        table=f"{OUT}/slides.csv",
        aurocs=f"{OUT}/aurocs.csv",
        summary=f"{OUT}/summary.txt",
    log:
        f"{OUT}/logs/slides.log",
    params:
        names=[*FILES],
        labels=LABELS,
        code=code("slides.py"),
    script:
        "../scripts/slides.py"
