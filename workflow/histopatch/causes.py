"""Why a job would run, in words: `rotation 90 → 45`, `two test images added`, `goes on at epoch 5`."""

import ast
import json
import re
from dataclasses import dataclass, fields
from pathlib import Path

from histopatch.banks import bank_of
from histopatch.errors import InputError
from histopatch.evaluation.run_table import setting_values
from histopatch.experiment import Experiment
from histopatch.files import read_table
from histopatch.runs import Run
from histopatch.words import job_in_words, joined

PLAN = "HISTOPATCH_PLAN"  # in the environment of a dry run: the file to which it writes the plan
FOLLOWS = "follows from the above"
_CODE = re.compile(r"'[0-9a-f]{16}'")
_NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


@dataclass(frozen=True)
class Planned:
    """A job that would run, with what is known of why."""

    rule: str
    wildcards: dict[str, str]
    missing: list[str]  # outputs that are not there
    deleted: list[str]  # those of them that have been made before
    updated: list[str]  # inputs that have changed
    follows: bool  # whether an input is made anew
    incomplete: bool
    forced: bool
    inputs_changed: bool  # whether it reads other files than before
    params: dict[str, str]  # name and `repr`
    params_before: list[str]  # the `repr` of those that are no longer so
    params_now: list[str]

    @classmethod
    def read(cls, path: Path) -> "list[Planned]":
        """The jobs of a plan that a dry run wrote."""
        return [cls(**{f.name: job[f.name] for f in fields(cls)}) for job in json.loads(path.read_text())]


def cause_of_training(job: Planned, plan: list[Planned], experiment: Experiment) -> str:
    """Why a training would run, or where it would go on.

    plan: all jobs that would run. A run whose settings were edited is compared with the one that had its name
    when the runs were last compared.
    """
    run = experiment.runs[job.wildcards["run"]]
    if epoch := _next_epoch(job, plan, run, experiment.name):
        return f"goes on at epoch {epoch} of {run.settings.epochs}"
    if job.missing and not job.deleted:
        before = _settings_before(run, experiment)
        if before and (changes := _differences(before, setting_values(run.identity))):
            return joined(changes)
        if not Path("results", experiment.name, "runs", run.folder).is_dir():
            return "new"
    if job.follows and (sources := _sources(plan, run, experiment)):
        return f"follows from {joined(sources)}"
    return cause_of_step(job, experiment)


def cause_of_step(job: Planned, experiment: Experiment) -> str:
    """Why a job other than a training would run."""
    causes = []
    if job.forced:
        causes.append("forced")
    if job.incomplete:
        causes.append("was interrupted")
    if job.deleted:
        causes.append(_missing(job.deleted))
    if job.updated:
        causes.append(f"{joined(job.updated)} changed")
    if job.params_before or job.params_now:
        causes += _changes_of_params(job, experiment)
    if causes:
        return "; ".join(causes)
    if job.follows:
        return FOLLOWS
    if job.missing:
        return "new"
    return "reads other files than before" if job.inputs_changed else FOLLOWS


def _missing(paths: list[str]) -> str:
    return f"{paths[0]} is missing" + (f", and {len(paths) - 1} more" if len(paths) > 1 else "")


# --- trainings --------------------------------------------------------------------------------------


def _next_epoch(job: Planned, plan: list[Planned], run: Run, name: str) -> int | None:
    """The epoch at which an interrupted training goes on; None where it starts afresh."""
    folder = Path("results", name, "runs", run.folder, f"fold-{job.wildcards['fold']}")
    made_anew = {"pack", "features", "split"} & {
        planned.rule for planned in plan if planned.wildcards.get("part") != "test"
    }
    if made_anew or not (folder / "resume.pt").is_file():
        return None
    from histopatch.engine import resume  # with PyTorch, slow to import

    bank = bank_of(run.identity)
    patches = f"results/{name}/features/{bank.name}.npy" if bank else f"results/{name}/pack/train.npy"
    split = f"results/{name}/splits/{run.settings.split}.csv"
    code = ast.literal_eval(job.params["code"])
    key = resume.fingerprint(run.identity, code, split, [patches, run.settings.weights])
    saved = resume.load(folder / "resume.pt", key)
    return len(saved["progress"]["history"]) + 1 if saved else None


def _sources(plan: list[Planned], run: Run, experiment: Experiment) -> list[str]:
    """What is made anew of what a run trains on, in words."""
    wanted = {("split", run.settings.split), ("pack", "train")}
    if bank := bank_of(run.identity):
        wanted.add(("features", bank.name))
    about = {"split": "split", "pack": "part", "features": "bank"}
    return [
        job_in_words(job.rule, job.wildcards, experiment)
        for job in plan
        if (job.rule, job.wildcards.get(about.get(job.rule, ""))) in wanted
    ]


def _settings_before(run: Run, experiment: Experiment) -> dict | None:
    """The settings, by column, that a run of the same name had when the runs were last compared."""
    names = [
        (study, name)
        for study, members in experiment.studies.items()
        for name, member in members.items()
        if member.folder == run.folder
    ]
    table = Path("results", experiment.name, "tables", "runs.csv")
    if names and table.is_file():
        runs = read_table(table)
        for study, name in names:
            known = runs[(runs.study == study) & (runs.run == name)]
            if len(known):
                return known.iloc[0].to_dict()
    return _final_settings_before(run, experiment)


def _final_settings_before(run: Run, experiment: Experiment) -> dict | None:
    """The same of the final training of the run that has won."""
    root = Path("results", experiment.name)
    if not (root / "final/best.json").is_file():
        return None
    for member in json.loads((root / "final/best.json").read_text())["members"]:
        now = experiment.final_runs.get(member["folder"])
        report = root / "runs" / member["final_folder"] / "fold-0/run.json"
        if now and now.folder == run.folder and report.is_file():
            return setting_values(json.loads(report.read_text())["settings"])
    return None


def _differences(before: dict, now: dict) -> list[str]:
    """`rotation 90 → 45` for each value, by its dotted key, that is not what it was."""
    return [
        f"{key.rpartition('.')[2]} {_plain(before[key])} → {_plain(value)}"
        for key, value in now.items()
        if key in before and _plain(before[key]) != _plain(value)
    ]


def _plain(value) -> str:
    """A value as the configuration has it, whatever the type that a table gives it."""
    if value in (True, False) and not isinstance(value, int | float):
        return str(bool(value)).lower()  # NumPy's
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return f"{float(value):g}"
    except (TypeError, ValueError):
        return str(value)


# --- params -----------------------------------------------------------------------------------------


def _changes_of_params(job: Planned, experiment: Experiment) -> list[str]:
    """What changed in the params of a job, of which Snakemake keeps the values without their names."""
    before, changes = list(job.params_before), []
    names = {text: name for name, text in job.params.items()}
    for text in job.params_now:
        name = names.get(text, "")
        old = _counterpart(text, before)
        if old is not None:
            before.remove(old)
        changes += _change(name, old, text, job, experiment)
    return [*dict.fromkeys(changes)] or ([] if job.follows else ["its settings changed"])


def _counterpart(text: str, before: list[str]) -> str | None:
    """The former value of a param: of the same type, with the most keys in common."""
    now = _value(text)
    alike = [old for old in before if type(_value(old)) is type(now) and _is_code(old) == _is_code(text)]
    if isinstance(now, dict):
        alike.sort(key=lambda old: len(_value(old).keys() & now.keys()), reverse=True)
    return alike[0] if alike else None


def _change(name: str, old: str | None, text: str, job: Planned, experiment: Experiment) -> list[str]:
    if _is_code(text):
        return ["its code changed"]
    if job.rule in ("pack", "pack_shard") and name == "images":
        return [_images_changed(job.wildcards["part"], experiment)]
    if job.rule == "best" and name == "final_runs":
        return [_final_changed(experiment)]
    before, now = _value(old) if old else None, _value(text)
    if isinstance(before, dict) and isinstance(now, dict):
        return _differences(*_filled(_flat(before), _flat(now)))
    if isinstance(now, list | tuple | dict) or old is None:
        return [] if job.follows else [f"its {name.replace('_', ' ')} changed"]
    return [f"{name} {_plain(before)} → {_plain(now)}"]


def _images_changed(part: str, experiment: Experiment) -> str:
    """How many images of a part came or went since they were packed."""
    folder = Path("results", experiment.name, "pack")
    try:
        now = set(experiment.dataset.images(part).files)
        packed = {
            file
            for table in ("index.parquet", "rejected.csv")
            for file in read_table(folder / f"{part}.{table}", ["file"]).file.dropna()
        }
    except (OSError, InputError):
        return f"other {part} images"
    counts = {"added": len(now - packed), "removed": len(packed - now)}
    told = [f"{_number(n)} {part} image{'' if n == 1 else 's'} {verb}" for verb, n in counts.items() if n]
    return ", ".join(told) or f"{part} images in another order"


def _final_changed(experiment: Experiment) -> str:
    """What changed in the final training of the run that has won."""
    path = Path("results", experiment.name, "final/best.json")
    if path.is_file():
        for member in json.loads(path.read_text())["members"]:
            if run := experiment.final_runs.get(member["folder"]):
                before = _final_settings_before(run, experiment)
                if before and (changes := _differences(before, setting_values(run.identity))):
                    return f"final training: {joined(changes)}"
    return "the runs to choose from changed"


def _number(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else f"{number:,}"


def _is_code(text: str) -> bool:
    return bool(_CODE.fullmatch(text))


def _value(text: str):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _flat(values: dict, prefix: str = "") -> dict:
    flat = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _filled(before: dict, now: dict) -> tuple[dict, dict]:
    """Both with the keys of both: one that is left out is at its neutral value."""
    keys = [*before, *(key for key in now if key not in before)]
    return tuple({key: values.get(key, "off") for key in keys} for values in (before, now))
