"""The catalogue of figures: what each is drawn from, by which function, and where the report shows it.

A figure's name is that of its function, of its caption (`workflow/report/<name>.rst`) and of its file. So a
new figure is a function, a row here and a caption; its rule is made from the row.

Declarations only: no figure's digest of code covers this module, because a figure's row is in the params of
its rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

DATA, STUDIES, FINAL_MODEL = "1 Data", "2 Studies", "3 Final model"  # sections of the report, in order


class EachFold(str):
    """The name of a file that every fold of the final run has; the function gets a list of paths."""


@dataclass(frozen=True)
class Figure:
    """One figure, or one for each study or split.

    module: of the drawing function, under `figures/`. inputs: the file that each argument reads, relative to
    the results of the experiment. options: the configuration key under `figures:` that each argument takes,
    nested keys joined by a dot; all functions take `dpi`. per: `study` or `split`, whose name the function
    gets as `name`. Labels, inputs, files and alternative texts of such figures hold it in braces. alt: what
    kind of picture it is and of what, in a sentence for those who do not see it; the caption says the rest.
    """

    name: str
    module: str
    inputs: Mapping[str, str]
    category: str
    label: str
    alt: str
    options: Mapping[str, str] = field(default_factory=dict)
    per: str | None = None

    @property
    def file(self) -> str:
        """The name of the file without its ending."""
        return f"{self.name}-{{{self.per}}}" if self.per else self.name


FIGURES = (
    Figure(
        "class_balance",
        module="exploration",
        inputs={"table": "explore/class_balance.csv"},
        category=DATA,
        label="class balance",
        alt="Bars: how many labelled patches there are of each class.",
    ),
    Figure(
        "examples",
        module="examples",
        inputs={"pack": "pack/train.npy", "index": "pack/train.index.parquet", "labels": "labels/clean.csv"},
        options={"per_class": "examples.per_class", "seed": "examples.seed"},
        category=DATA,
        label="example patches",
        alt="A grid of randomly chosen patches, one row or more for each class.",
    ),
    Figure(
        "rgb_histograms",
        module="exploration",
        inputs={"table": "explore/rgb_histograms.csv"},
        category=DATA,
        label="RGB histograms",
        alt="Three panels, red, green and blue: the distribution of pixel values of each class.",
    ),
    Figure(
        "augmentation",
        module="augmentation",
        inputs={"gallery": "explore/augmentation.npz"},
        category=DATA,
        label="augmentations",
        alt="Rows of patches: one patch under each augmentation, from the least to the most changed.",
    ),
    Figure(
        "audit",
        module="audit",
        per="split",
        inputs={
            "report": "splits/{split}.audit.json",
            "pairs": "splits/{split}.audit.csv",
            "pack": "pack/train.npy",
            "index": "pack/train.index.parquet",
        },
        category=DATA,
        label="leakage audit of split {split}",
        alt="Bars: what is on more than one side of split {split}, and pairs of such images.",
    ),
    Figure(
        "flow",
        module="flow",
        per="split",
        inputs={"table": "splits/{split}.flow.csv"},
        category=DATA,
        label="flow of patches into split {split}",
        alt="A flow diagram from images and label rows to the sides of split {split}, and what is excluded.",
    ),
    Figure(
        "study",
        module="studies",
        per="study",
        inputs={"table": "tables/{study}.csv"},
        category=STUDIES,
        label="study {study}",
        alt="A forest plot: the validation AUROC of the runs of study {study}, with intervals, best first.",
    ),
    Figure(
        "effects",
        module="effects",
        inputs={"table": "tables/effects.csv"},
        category=STUDIES,
        label="effect of each setting",
        alt="A forest plot: how much each value of each setting changes the AUROC, with intervals.",
    ),
    Figure(
        "top_runs",
        module="studies",
        inputs={"table": "tables/runs.csv"},
        options={"count": "top_runs"},
        category=STUDIES,
        label="best configurations",
        alt="A forest plot: the validation AUROC of the best runs of all studies with 95 % intervals.",
    ),
    Figure(
        "cost",
        module="cost",
        inputs={"table": "tables/runs.csv"},
        category=STUDIES,
        label="AUROC against training time",
        alt="Dots: the validation AUROC of each run against its training time, and the best trade-offs.",
    ),
    Figure(
        "learning_curves",
        module="training",
        inputs={"histories": EachFold("history.csv")},
        category=FINAL_MODEL,
        label="learning curves",
        alt="Two panels: training and validation loss, and validation AUROC, by epoch.",
    ),
    Figure(
        "roc",
        module="curves",
        inputs={
            "curve": "final/roc.csv",
            "points": "final/operating_points.csv",
            "metrics": "final/metrics.json",
        },
        category=FINAL_MODEL,
        label="ROC curve",
        alt="A ROC curve with its 95 % band, the diagonal of chance, and three operating points.",
    ),
    Figure(
        "precision_recall",
        module="curves",
        inputs={"curve": "final/precision_recall.csv", "metrics": "final/metrics.json"},
        category=FINAL_MODEL,
        label="precision-recall curve",
        alt="A precision-recall curve with the share of positives as the line of chance.",
    ),
    Figure(
        "confusion",
        module="confusion",
        inputs={"points": "final/operating_points.csv"},
        category=FINAL_MODEL,
        label="confusion matrices",
        alt="Confusion matrices, one for each operating point, with their rates below.",
    ),
    Figure(
        "reliability",
        module="reliability",
        inputs={"table": "final/reliability.csv"},
        category=FINAL_MODEL,
        label="reliability diagram",
        alt="Reliability diagrams: how often patches are positive against their predicted probability.",
    ),
    Figure(
        "decision_curve",
        module="decision_curve",
        inputs={"table": "final/decision_curve.csv", "metrics": "final/metrics.json"},
        category=FINAL_MODEL,
        label="net benefit",
        alt="Curves of net benefit against the threshold: the model, treating everybody, treating nobody.",
    ),
    Figure(
        "abstaining",
        module="abstaining",
        inputs={"curve": "final/error_by_coverage.csv", "points": "final/abstaining.csv"},
        category=FINAL_MODEL,
        label="errors when doubtful patches are left out",
        alt="A curve: the share of wrong calls against the share of patches that are called.",
    ),
    Figure(
        "auc_by_group",
        module="groups",
        inputs={"table": "final/auc_by_group.csv"},
        category=FINAL_MODEL,
        label="AUROC by slide or fold",
        alt="Dots: the AUROC of each slide or fold with its 95 % interval, sorted.",
    ),
    Figure(
        "subgroups",
        module="subgroups",
        inputs={"table": "final/subgroups.csv", "tests": "final/heterogeneity.csv"},
        category=FINAL_MODEL,
        label="subgroups",
        alt="Dots with intervals: how the final model does on each group, such as site or appearance.",
    ),
    Figure(
        "suspect_labels",
        module="suspect_labels",
        inputs={
            "table": "final/suspect_labels.csv",
            "pack": "pack/train.npy",
            "index": "pack/train.index.parquet",
        },
        category=FINAL_MODEL,
        label="labels to look at again",
        alt="A grid of the patches with the most suspicious labels.",
    ),
    Figure(
        "heat_maps",
        module="heat_maps",
        inputs={
            "confident": "final/confident.csv",
            "maps": "final/confident.npy",
            "pack": "pack/train.npy",
            "index": "pack/train.index.parquet",
        },
        category=FINAL_MODEL,
        label="where it looks, examples",
        alt="Pairs of a patch and the same patch under a heat map, for the most confident predictions.",
    ),
    Figure(
        "attribution",
        module="attribution",
        inputs={"table": "final/attribution.csv", "summary": "final/attribution.json"},
        category=FINAL_MODEL,
        label="where it looks, centre and border",
        alt="Two panels: how much evidence falls on the centre of a patch, and what hiding it changes.",
    ),
)
