# A rule for each figure of the catalogue: all that sets one apart is in its row there.
import functools
import operator

from histopatch.figures.catalogue import FIGURES, EachFold


def figure_inputs(figure):
    """The files that each argument of the drawing function reads."""
    return {
        argument: final_run(file) if isinstance(file, EachFold) else f"results/{{experiment}}/{file}"
        for argument, file in figure.inputs.items()
    }


def choice_of_the_final_model(figure):
    """Not read. Without it, figures of the final model would be drawn again wherever the choice is made again."""
    of_final_model = any(file.startswith("final/") for file in figure.inputs.values())
    return [final_run("run.json")] if of_final_model else []


def figure_options(figure):
    """The drawing function's other arguments: only these, so that an option redraws the figures that use it."""

    def options(wildcards):
        configured = experiment(wildcards).figures
        values = {
            argument: functools.reduce(operator.getitem, key.split("."), configured)
            for argument, key in {"dpi": "dpi", **figure.options}.items()
        }
        return values | ({"name": wildcards[figure.per]} if figure.per else {})

    return options


@keeps
def kept_figures(experiment):
    names = {"study": experiment.studies, "split": experiment.splits}
    return [file for figure in FIGURES for file in expand(f"figures/{figure.file}.png", **names)]


for figure in FIGURES:

    rule:
        name:
            f"figure_{figure.name}"
        input:
            *choice_of_the_final_model(figure),
            **figure_inputs(figure),
        output:
            report(
                f"results/{{experiment}}/figures/{figure.file}.png",
                caption=f"../report/{figure.name}.rst",
                category=figure.category,
                labels={"what": figure.label},
            ),
        log:
            f"results/{{experiment}}/logs/figure-{figure.file}.log",
        localrule: True
        params:
            function=f"figures.{figure.module}.{figure.name}",
            options=figure_options(figure),
            code=code("figure.py", modules=(f"figures.{figure.module}",)),
        script:
            "../scripts/figure.py"
