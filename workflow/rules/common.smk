# What the rules share: the checked experiments, the code that a job depends on, and the lock while running.
import functools
import itertools
import json
import math
import os
import subprocess
import sys
from pathlib import Path

WORKFLOW = Path(workflow.basedir) / "workflow"
SOURCES = Path(".snakemake/histopatch-sources")  # what they say, for the next call
sys.path.insert(0, str(WORKFLOW))

from histopatch import components, cores, fingerprints, parents
from histopatch.backbones.catalogue import TIMM
from histopatch.banks import bank_of
from histopatch.config import UnknownExperimentError, load
from histopatch.data.formats.format import plain
from histopatch.data.group_table import by_column
from histopatch.data.images import names_digest
from histopatch.data.shards import part_of
from histopatch.errors import InputError, check_writable, one_line
from histopatch.experiment import plain_cleaning, plain_split, read_experiment
from histopatch.preflight import check_inputs, patch_size
from histopatch.system import check_system
from histopatch.yaml_files import read_yaml
from terminal.install import speak_for_jobs
from terminal.plan import write_plan_if_asked
from terminal.subject import ExperimentRun

# GPUs of the call; where it does not say, Snakemake starts as many trainings as there are cores for.
# A number, or an object in later releases of Snakemake 9.
GPUS = dict(workflow.resource_settings.resources).get("gpu")
GPUS = GPUS and int(getattr(GPUS, "value", GPUS))

CONFIG = "config.yaml"
GIVEN = list(workflow.overwrite_configfiles)  # with --configfile

try:
    check_system()
    check_writable([".snakemake"])  # which Snakemake writes even for a dry run
    # Snakemake takes the last of several equal keys in silence.
    for path in dict.fromkeys(map(os.path.relpath, [CONFIG, *GIVEN])):
        if path != CONFIG or not GIVEN or Path(CONFIG).exists():
            read_yaml(path)
except InputError as error:
    sys.exit(f"Error: {error}")


configfile: CONFIG


try:
    config.update(load(config))
    EXPERIMENTS = {name: read_experiment(name, section) for name, section in config["experiments"].items()}
    # Not in the calls that Snakemake makes for jobs of a cluster: the check reads the names of all patches.
    if workflow.is_main_process:
        check_inputs(EXPERIMENTS[config["experiment"]], GPUS)
    for known in [*EXPERIMENTS.values()]:
        EXPERIMENTS |= known.external_sets
except UnknownExperimentError as error:
    sys.exit(f"Error: {error}; for one in a file of its own: --configfile config.yaml mine.yaml")
except Exception as error:
    if line := one_line(error):
        sys.exit(f"Error: {line}")
    raise

# Trainings that run at a time share the cores of the call.
CORES = workflow.resource_settings.cores or 1
TRAININGS = min(CORES, GPUS or 1)

# The scripts are processes of their own, which inherit this.
os.environ.update({"PYTHONPATH": str(WORKFLOW), cores.ALONE: str(int(CORES == 1))} | cores.ENVIRONMENT)
os.environ[parents.WORKFLOW] = str(os.getpid())
speak_for_jobs(workflow, ExperimentRun(EXPERIMENTS, config["experiment"]))
write_plan_if_asked(workflow)


wildcard_constraints:
    experiment="|".join(EXPERIMENTS),
    part="train|test",
    split="|".join({split for known in EXPERIMENTS.values() for split in known.splits}),
    external="|".join({name for known in EXPERIMENTS.values() for name in known.external}),
    study="|".join({study for known in EXPERIMENTS.values() for study in known.studies}),
    run="[^/]+",


def experiment(wildcards):
    return EXPERIMENTS[wildcards.experiment]


def results(name, files):
    """Paths of files that are given relative to the results of an experiment."""
    return [f"results/{name}/{file}" for file in files]


# --- what an experiment keeps -----------------------------------------------------------------------

KEPT = []


def keeps(files):
    """Mark a function from an experiment to the files that the rules of a stage keep, for the rule `all`.

    Every file is named, even where its job has other outputs: Snakemake does not miss a file that only jobs
    which are up to date read.
    """
    KEPT.append(files)
    return files


def kept_files(name):
    """Everything that an experiment keeps, so that a deleted file is made again."""
    return results(name, [file for files in KEPT for file in files(EXPERIMENTS[name])])


# --- what makes a job stale -------------------------------------------------------------------------


def code(script, modules=(), declared=""):
    """Digest of a script and all that it imports, modules that it imports by name included.

    A param of the script's rule, because Snakemake does not look into modules.
    """
    return fingerprints.code(WORKFLOW / "scripts" / script, tuple(modules), declared=declared, known=SOURCES)


# --- while the workflow runs ------------------------------------------------------------------------


def untried_networks():
    """Settings of runs without results whose backbone only timm itself, slow to import, can judge."""
    name = config["experiment"]
    return [
        run.identity
        for folder, run in EXPERIMENTS[name].runs.items()
        if run.identity["backbone"].startswith(TIMM)
        and not all(map(os.path.exists, results(name, EXPERIMENTS[name].run_files(folder, "run.json"))))
    ]


onstart:
    # Held until this process ends, however it ends: a killed workflow leaves no stale lock, and a
    # second call at the same time is refused. (Snakemake's own lock is switched off in the profile.)
    from histopatch.locks import open_lock, try_lock  # not before the system is known to have any

    global lock_file
    lock_file = open_lock(Path(".snakemake/histopatch.lock"))
    if not try_lock(lock_file, lock_file.name, lambda line: print(f"Warning: {line}", file=sys.stderr)):
        print("Error: another snakemake is at work in this folder; wait for it.", file=sys.stderr)
        os._exit(1)
    try:
        check_writable(["results", *results(config["experiment"], [""])])
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        os._exit(1)
    if untried := untried_networks():
        check = [sys.executable, "-m", "histopatch.backbones.check"]
        # In a session of its own, so that Ctrl-C reaches it through this process only.
        if subprocess.run(check, input=json.dumps(untried), text=True, start_new_session=True).returncode:
            os._exit(1)
