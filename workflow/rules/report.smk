# The report, one page for readers, made of the tables and figures of all other rules.
from histopatch.config import without_defaults
from histopatch.report import chapters


@keeps
def kept_report(experiment):
    return ["report.html"]


def shown_files(wildcards):
    asked = experiment(wildcards)
    return results(asked.name, chapters.files([*asked.studies], [*asked.splits]))


def texts_of_the_report():
    """The template of the page, and the captions: relative, so that a copy of the project is the same."""
    folder = os.path.relpath(WORKFLOW / "report")
    captions = sorted(f"{figure.name}.rst" for figure in FIGURES)
    return [f"{folder}/{name}" for name in ("page/page.html", "page/page.css", "page/page.js", *captions)]


rule report:
    input:
        shown=shown_files,
        reports=final_run("run.json"),
        texts=texts_of_the_report(),
    output:
        "results/{experiment}/report.html",
    log:
        "results/{experiment}/logs/report.log",
    params:
        root="results/{experiment}",
        studies=lambda wildcards: [*experiment(wildcards).studies],
        splits=lambda wildcards: [*experiment(wildcards).splits],
        configuration=lambda wildcards: without_defaults(config["experiments"][wildcards.experiment]),
        code=code("report.py"),
    script:
        "../scripts/report.py"
