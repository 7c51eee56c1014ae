"""The chapters of the report: what each shows, in order, and which files that is read from.

A figure or a section of the summary that no chapter names is shown all the same: a figure at the end of the
chapter of its category, a section in the chapter with the one before it. So a new one needs no line here.

Declarations only, which the rule of the report reads as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from histopatch.figures.catalogue import DATA, FIGURES, FINAL_MODEL, STUDIES, Figure

SUMMARY = "tables/summary.md"
FIRST = "first"  # the section of the summary that stands before all others
PACK = ("pack/train.npy", "pack/train.index.parquet")


@dataclass(frozen=True)
class Words:
    """The section of the summary with a title, or FIRST.

    of: all those whose title begins with it, instead.
    """

    title: str = ""
    of: str = ""
    files = (SUMMARY,)

    def names(self, title: str) -> bool:
        """Whether a section with a title is meant."""
        return title.startswith(self.of) if self.of else title == self.title


@dataclass(frozen=True)
class Picture:
    """A figure of the catalogue, by its name; one for each study or split if it is of one."""

    figure: str
    files = ()  # all figures are in the report


@dataclass(frozen=True)
class EachStudy:
    """The section, the figure and the words on what helped of one study after the other."""

    files = (SUMMARY,)


@dataclass(frozen=True)
class Column:
    """A column of a table: its name there, as readers see it, and the format of its numbers."""

    name: str
    header: str
    format: str = ""


@dataclass(frozen=True)
class Table:
    """Some columns of a table (CSV); none at all where it is empty.

    rows: how many at most, None for all. settings: whether settings in which the rows differ are added.
    """

    title: str
    file: str
    columns: Sequence[Column]
    rows: int | None = None
    settings: bool = False

    @property
    def files(self) -> Sequence[str]:
        return (self.file,)


@dataclass(frozen=True)
class Mistakes:
    """The most confident wrong predictions, each patch beside what speaks for the wrong class."""

    files = ("final/confident.csv", "final/confident.npy", *PACK)


@dataclass(frozen=True)
class Suspects:
    """The patches with the most suspicious labels."""

    files = ("final/suspect_labels.csv", *PACK)


@dataclass(frozen=True)
class Document:
    """A text (Markdown) that is folded up."""

    title: str
    file: str

    @property
    def files(self) -> Sequence[str]:
        return (self.file,)


@dataclass(frozen=True)
class Reproduction:
    """Command, configuration, commit, versions, device, seeds and times."""

    files = ("tables/runs.csv",)


Block = Words | Picture | EachStudy | Table | Mistakes | Suspects | Document | Reproduction


@dataclass(frozen=True)
class Chapter:
    """A heading and what stands under it. category: of the figures that are at home here."""

    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
    category: str | None = None


AUROC, RATE = ".4f", ".3f"
CHAPTERS = (
    Chapter("In short", (Words(FIRST),)),
    Chapter(
        "Data",
        (
            Words("Data"),
            Picture("flow"),
            Picture("class_balance"),
            Picture("examples"),
            Picture("rgb_histograms"),
            Table(
                "What gives a class away besides the tissue",
                "explore/giveaways.csv",
                (
                    Column("fact", "fact about the file or image"),
                    Column("auc", "AUROC by it alone", AUROC),
                    Column("auc_low", "low", AUROC),
                    Column("auc_high", "high", AUROC),
                    Column("gives_away", "gives the class away"),
                    Column("negatives", "negatives have"),
                    Column("positives", "positives have"),
                ),
            ),
        ),
        category=DATA,
    ),
    Chapter("Splits and leakage", (Words("Splits"), Picture("audit"))),
    Chapter(
        "Studies",
        (
            EachStudy(),
            Picture("top_runs"),
            Table(
                "All runs",
                "tables/runs.csv",
                (
                    Column("study", "study"),
                    Column("run", "run"),
                    Column("final_val_auc", "validation AUROC", AUROC),
                    Column("val_auc_low", "low", AUROC),
                    Column("val_auc_high", "high", AUROC),
                    Column("tied_with_best", "tied with the best"),
                    Column("validated_on", "validated on"),
                    Column("train_seconds", "training, s", ".1f"),
                ),
                settings=True,
            ),
            Table(
                "What the comparison of each study is worth",
                "tables/choice.csv",
                (
                    Column("study", "study"),
                    Column("run", "highest"),
                    Column("chosen_from", "of"),
                    Column("val_auc", "its AUROC", AUROC),
                    Column("corrected_val_auc", "corrected for the choice", AUROC),
                    Column("units", "slides or patients"),
                    Column("rarer_units", "with the rarer class"),
                    Column("units_for_0.01", "for an interval of ± 0.01"),
                    Column("detectable_difference", "difference found with 80 % power", AUROC),
                ),
            ),
        ),
        category=STUDIES,
    ),
    Chapter(
        "What helped and what did not",
        (
            Words(of="What helped and what did not"),
            Picture("effects"),
            Table(
                "Effect of each setting",
                "tables/effects.csv",
                (
                    Column("study", "study"),
                    Column("setting", "setting"),
                    Column("value", "value"),
                    Column("runs", "runs"),
                    Column("difference", "change of the AUROC", "+.4f"),
                    Column("difference_low", "low", "+.4f"),
                    Column("difference_high", "high", "+.4f"),
                    Column("p_value", "p", ".3g"),
                    Column("verdict", "verdict"),
                ),
            ),
            Table(
                "What the seed alone changed",
                "tables/seeds.csv",
                (
                    Column("study", "study"),
                    Column("run", "run"),
                    Column("seeds", "seeds"),
                    Column("mean_val_auc", "mean AUROC", AUROC),
                    Column("sd_val_auc", "standard deviation", AUROC),
                    Column("lowest_val_auc", "lowest", AUROC),
                    Column("highest_val_auc", "highest", AUROC),
                ),
            ),
        ),
    ),
    Chapter(
        "The chosen model",
        (
            Words("Final model"),
            Picture("learning_curves"),
            Picture("roc"),
            Picture("precision_recall"),
            Words("Operating points"),
            Picture("confusion"),
            Words("Calibration"),
            Picture("reliability"),
            Words("Net benefit"),
            Picture("decision_curve"),
            Words("Abstaining"),
            Picture("abstaining"),
            Words("Subgroups"),
            Picture("subgroups"),
            Table(
                "By group",
                "final/subgroups.csv",
                (
                    Column("group", "kind"),
                    Column("value", "group"),
                    Column("patches", "patches"),
                    Column("positive", "positive"),
                    Column("auc", "AUROC", AUROC),
                    Column("auc_low", "low", AUROC),
                    Column("auc_high", "high", AUROC),
                    Column("sensitivity", "sensitivity", RATE),
                    Column("specificity", "specificity", RATE),
                    Column("note", "note"),
                ),
                rows=1000,
            ),
            Words("External data"),
            Picture("auc_by_group"),
            Table(
                "AUROC by slide or fold",
                "final/auc_by_group.csv",
                (
                    Column("part", "part"),
                    Column("kind", "kind"),
                    Column("group", "name"),
                    Column("patches", "patches"),
                    Column("positive", "positive"),
                    Column("auc", "AUROC", AUROC),
                    Column("auc_low", "low", AUROC),
                    Column("auc_high", "high", AUROC),
                ),
                rows=1000,
            ),
        ),
        category=FINAL_MODEL,
    ),
    Chapter(
        "Errors worth looking at",
        (
            Mistakes(),
            Words("Where it looks"),
            Picture("attribution"),
            Words("Suspicious labels"),
            Suspects(),
            Table(
                "Misclassified patches, the most confident mistakes first",
                "final/errors.csv",
                (
                    Column("id", "id"),
                    Column("label", "label"),
                    Column("call", "call"),
                    Column("probability", "probability", ".4f"),
                    Column("slide", "slide"),
                ),
                rows=200,
            ),
        ),
    ),
    Chapter("Cost", (Words("Cost"), Picture("cost"))),
    Chapter("Limits", (Words("Limits"),)),
    Chapter("Reporting checklists", (Document("TRIPOD+AI and STARD-AI", "tables/checklists.md"),)),
    Chapter("How to reproduce it", (Reproduction(),)),
)
# Shown as a gallery of patches instead.
GALLERIES = {"heat_maps", "suspect_labels"}


def files(studies: Sequence[str], splits: Sequence[str]) -> list[str]:
    """The files that the report shows, relative to the results of an experiment with these names."""
    shown = [figure_file(figure, name) for figure, name in figures(studies, splits)]
    tables = [file for chapter in CHAPTERS for block in chapter.blocks for file in block.files]
    return [*dict.fromkeys([*tables, *shown])]


def figures(studies: Sequence[str], splits: Sequence[str]) -> Iterator[tuple[Figure, str]]:
    """Each figure that the report shows, with the study or split that it is of, or an empty text."""
    names: Mapping[str | None, Sequence[str]] = {"study": studies, "split": splits, None: [""]}
    for figure in FIGURES:
        if figure.name not in GALLERIES:
            for name in names[figure.per]:
                yield figure, name


def figure_file(figure: Figure, name: str) -> str:
    """The file of a figure, of a study or split if it is of one."""
    return f"figures/{filled(figure, figure.file, name)}.png"


def filled(figure: Figure, text: str, name: str) -> str:
    """A text of a figure's row with the name of its study or split."""
    return text.format(**{figure.per: name}) if figure.per else text
