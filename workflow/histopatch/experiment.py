"""An experiment: its data set, its splits, its studies unfolded into runs, and the final training."""

from dataclasses import dataclass, field, replace
from functools import cached_property

from histopatch.conflicts import conflict
from histopatch.data.formats.format import Format, format_class
from histopatch.errors import InputError
from histopatch.halving import Halving
from histopatch.runs import Run, resolve, unfold
from histopatch.schema import without_neutral
from histopatch.settings import Cleaning, Split

EXTERNAL = "/external/"  # in the names of external data sets as experiments, and so in their paths


@dataclass(frozen=True)
class Final:
    """How the final runs are chosen, and what is made of them."""

    study: str
    metric: str
    select: str
    ensemble: int
    average: str
    calibrated: bool
    prevalences: tuple[float, ...]
    unusable_images: str | float

    @property
    def averaging(self) -> dict:
        """What the final model is an average of, as plain values."""
        return {"members": self.ensemble, "average": self.average}


@dataclass(frozen=True)
class Experiment:
    """Everything that the configuration asks for under one name."""

    name: str
    dataset: Format
    cleaning: Cleaning
    splits: dict[str, Split]
    studies: dict[str, dict[str, Run]]  # runs by their name there
    halvings: dict[str, Halving]  # by study, of those that have one
    final: Final
    final_runs: dict[str, Run]  # what the final training is, by the folder of the run that wins
    figures: dict  # drawing options
    groups: str | None = None  # the table of groups of patches
    microns_per_pixel: float | None = None  # of the patches, where it is known
    shards: int = 1  # that each part of the data set is packed in
    external: dict[str, Format] = field(default_factory=dict)  # data sets that only measure the final model

    @cached_property
    def runs(self) -> dict[str, Run]:
        """Every run of every study and every run that the final training could become, by folder."""
        members = [run for runs in self.studies.values() for run in runs.values()]
        return {run.folder: run for run in (*members, *self.final_runs.values())}

    @cached_property
    def study_folders(self) -> list[str]:
        """The folders of the runs of all studies, each once."""
        return sorted({run.folder for runs in self.studies.values() for run in runs.values()})

    @cached_property
    def rungs(self) -> dict[str, dict[int, int]]:
        """The rungs of each study, as `Halving.rungs` returns them; none without halving."""
        return {study: _rungs(runs, self.halvings.get(study)) for study, runs in self.studies.items()}

    @cached_property
    def whole_folders(self) -> set[str]:
        """The folders of the runs of studies without rungs, which are trained to their end in any case."""
        return {
            run.folder
            for study, runs in self.studies.items()
            for run in runs.values()
            if not self.rungs[study]
        }

    @property
    def external_sets(self) -> dict[str, "Experiment"]:
        """Each external data set by its name, as an experiment without runs to the steps that read data."""
        return {
            (name := f"{self.name}{EXTERNAL}{external}"): replace(
                self, name=name, dataset=dataset, splits={}, studies={}, halvings={}, final_runs={},
                groups=None, external={}, shards=1,
            )
            for external, dataset in self.external.items()
        }  # fmt: skip

    @property
    def members(self) -> list[dict]:
        """Every run of every study as plain values: study, name there, folder, settings, number of folds."""
        return [
            {
                "study": study,
                "run": name,
                "folder": run.folder,
                "settings": run.identity,
                "folds": self.fold_count(run),
            }
            for study, runs in self.studies.items()
            for name, run in runs.items()
        ]

    def candidates(self, study: str) -> list[dict]:
        """Every run of a study as plain values: `run` (its name), `folder` and what a rung asks of it."""
        return [
            {
                "run": name,
                "folder": run.folder,
                "folds": self.fold_count(run),
                "candidate": run.candidate,
                "patience": run.settings.patience,
            }
            for name, run in self.studies[study].items()
        ]

    @property
    def holds_out(self) -> bool:
        """Whether the final model is measured on a part that is held out."""
        return any(holds_out(self.split_of(run), self.dataset) for run in self.final_runs.values())

    def split_of(self, run: Run) -> Split:
        """The split that a run trains and validates on."""
        return self.splits[run.settings.split]

    def fold_count(self, run: Run) -> int:
        """How many trainings a run has: one for each fold of its split."""
        return self.split_of(run).folds

    def run_files(self, folder: str, *files: str) -> list[str]:
        """Some files of a run, one after the other for each fold, relative to the experiment's results."""
        folds = range(self.fold_count(self.runs[folder]))
        return [f"runs/{folder}/fold-{fold}/{file}" for file in files for fold in folds]


def read_experiment(name: str, config: dict) -> Experiment:
    """An experiment from its section of the configuration, checked and with defaults filled in.

    Raises InputError, which names the key, if every run of a study is disabled or the final run could not be
    chosen fairly.
    """
    config = _ordered(config)
    try:
        studies = {
            study: unfold(study, section, config["defaults"]) for study, section in config["studies"].items()
        }
        dataset = format_class(config["dataset"]["format"]).read(config["dataset"], f"results/{name}")
        splits = {split: _split(section, dataset) for split, section in config["splits"].items()}
        halvings = _halvings(config["studies"], studies)
        final_runs = _final_runs(config["final"], studies, halvings, splits, dataset)
        _check_runs(studies, final_runs)
        return Experiment(
            name=name,
            dataset=dataset,
            cleaning=Cleaning(**config["cleaning"]),
            splits=splits,
            studies=studies,
            halvings=halvings,
            final=_final(config["final"]),
            final_runs=final_runs,
            figures=config["figures"],
            groups=config["dataset"].get("groups"),
            microns_per_pixel=config["dataset"].get("microns_per_pixel"),
            shards=config["dataset"]["shards"],
            external={
                external: format_class(section["format"]).read(section, f"results/{name}{EXTERNAL}{external}")
                for external, section in config["external"].items()
            },
        )
    except InputError as error:
        raise InputError(f"experiments.{name}.{error}") from None


def _check_runs(studies: dict[str, dict[str, Run]], final_runs: dict[str, Run]) -> None:
    """Raise InputError, which names the run, where its settings contradict each other."""
    for study, runs in studies.items():
        for name, run in runs.items():
            if fault := conflict(run.settings):
                raise InputError(f"studies.{study}.{name}.{fault}")
    for run in final_runs.values():
        if fault := conflict(run.settings):
            raise InputError(f"final.overrides.{fault}")


def _ordered(value):
    """Keys sorted at every depth: an order in the configuration must change no name and no param."""
    return {key: _ordered(value[key]) for key in sorted(value)} if isinstance(value, dict) else value


def _split(section: dict, dataset: Format) -> Split:
    """A split; `group_by: auto` becomes the best that is known of what keeps near copies together."""
    if section["group_by"] == "auto":
        try:
            known = dataset.known_groups
        except InputError:  # told before any job, of the experiment that is asked for
            known = ()
        section = section | {"group_by": (*known, "appearance")[0]}
    return Split(**section)


def holds_out(split: Split, dataset: Format) -> bool:
    """Whether patches are held out of a split."""
    return bool(split.held_out_fraction) or (split.parts == "given" and dataset.gives_held_out)


def _final(section: dict) -> Final:
    values = {key: value for key, value in section.items() if key != "overrides"}
    return Final(**values | {"prevalences": tuple(section["prevalences"])})


def _halvings(sections: dict, studies: dict[str, dict[str, Run]]) -> dict[str, Halving]:
    """The halving of each study that has one.

    Raises InputError where its runs could not be compared at the end of a rung.
    """
    halvings = {
        study: Halving(**section["halving"]) for study, section in sections.items() if "halving" in section
    }
    for study, halving in halvings.items():
        settings = [run.settings for run in studies[study].values()]
        epochs, splits = ({getattr(each, key) for each in settings} for key in ("epochs", "split"))
        if len(epochs) > 1 or len(splits) > 1:
            raise InputError(
                f"studies.{study}.halving: its runs differ in epochs or split, so they are not alike at the "
                "end of a rung; give all of them the same"
            )
        if halving.first >= min(epochs):
            raise InputError(
                f"studies.{study}.halving.first: {halving.first} is no less than the {min(epochs)} epochs of "
                "its runs, so nothing would be saved; lower it"
            )
    return halvings


def _rungs(runs: dict[str, Run], halving: Halving | None) -> dict[int, int]:
    if halving is None:
        return {}
    epochs = next(iter(runs.values())).settings.epochs
    return halving.rungs(epochs, len({run.candidate for run in runs.values()}))


def _final_runs(
    final: dict,
    studies: dict[str, dict[str, Run]],
    halvings: dict[str, Halving],
    splits: dict[str, Split],
    dataset: Format,
) -> dict[str, Run]:
    """The run that the final training becomes, by the folder of the run that wins its study.

    Raises InputError where the runs to choose from are measured on several splits, where a part is held out
    that the choice would see, where there are too few for the ensemble, and where a calibration would not
    fit.
    """
    candidates = studies[final["study"]].values()
    finals = {run.folder: resolve(run.identity, final["overrides"]) for run in candidates}
    chosen_on = {run.settings.split for run in candidates}
    if len(chosen_on) > 1:
        raise InputError(
            f"final.study: the runs of {final['study']!r} are measured on several splits "
            f"({', '.join(sorted(chosen_on))}), of which the easiest would win; choose a study with one split"
        )
    involved = chosen_on | {run.settings.split for run in finals.values()}
    held_out = sorted(name for name in involved if holds_out(splits[name], dataset))
    if held_out and len(involved) > 1:
        raise InputError(
            f"splits.{held_out[0]}.held_out_fraction: final.study and the final training use different "
            f"splits ({', '.join(sorted(involved))}), so the choice would see what is held out; use one split"
        )
    if final["calibrated"] and any(splits[run.settings.split].folds > 1 for run in finals.values()):
        raise InputError(
            "final.calibrated: with folds the final model is the mean of several networks, and a "
            "recalibration fitted on their own predictions does not fit the mean; use a split without folds, "
            "or leave the probabilities raw"
        )
    if final["calibrated"] and final["average"] == "rank":
        raise InputError(
            "final.calibrated: probabilities can be recalibrated, which mean ranks are not; average by "
            "probability or logit, or leave them raw"
        )
    # Of the runs that differ in their seed only, the one with the lowest represents all.
    by_seed = sorted(candidates, key=lambda run: run.settings.seed, reverse=True)
    chosen = {run.candidate: finals[run.folder].folder for run in by_seed}
    trainings = len({*chosen.values()})
    if final["ensemble"] > trainings:
        raise InputError(
            f"final.ensemble: {final['ensemble']} runs, but the study {final['study']!r} comes to "
            f"{trainings} final trainings (runs that differ in their seed only count as one, and so do those "
            "that final.overrides make the same); lower it, or add runs"
        )
    rungs = _rungs(studies[final["study"]], halvings.get(final["study"]))
    if rungs and final["ensemble"] > (left := min(rungs.values())):
        raise InputError(
            f"final.ensemble: {final['ensemble']} runs, but the halving of study {final['study']!r} leaves "
            f"{left}; lower it, or let more go on"
        )
    return finals


def plain_split(split: Split) -> dict:
    """What a split does, as plain values: those at neutral are left out, and what a leak leads to."""
    return without_neutral("split", {key: value for key, value in vars(split).items() if key != "on_leak"})


def plain_cleaning(cleaning: Cleaning) -> dict:
    """What cleaning does, likewise."""
    return without_neutral("cleaning", vars(cleaning))
