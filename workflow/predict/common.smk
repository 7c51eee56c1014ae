# What the rules share: the checked request, the lock while running, and the code that a job depends on.
import os
import sys
from pathlib import Path

WORKFLOW = Path(workflow.basedir).parent
sys.path.insert(0, str(WORKFLOW))

from histopatch import cores, fingerprints, parents
from histopatch.errors import InputError, one_line
from histopatch.prediction.request import SLIDES, read_request
from histopatch.system import check_system
from terminal.install import speak_for_jobs
from terminal.prediction import Prediction


def or_one_line(function, *arguments):
    """What a function returns, or the end of this call with the line that says what is wrong."""
    try:
        return function(*arguments)
    except Exception as error:
        if line := one_line(error):
            sys.exit(f"Error: {line}")
        raise


def hold(folder):
    """The lock of the folder of the results, until this process ends, however it ends.

    Taken before the input is listed there: nothing may change below a prediction that is at work.
    """
    from histopatch.locks import LOCK, open_lock, try_lock  # not before the system is known to have any

    opened = open_lock(Path(folder, LOCK))
    if not try_lock(opened, folder, lambda line: print(f"Warning: {line}", file=sys.stderr)):
        raise InputError(f"{folder}: another prediction is at work here; wait for it")
    return opened


or_one_line(check_system)
ASKED = or_one_line(read_request, config)
OUT = ASKED.out
if workflow.is_main_process:
    lock = or_one_line(hold, OUT)
CORES = workflow.resource_settings.cores or 1

# The scripts are processes of their own, which inherit this.
os.environ.update({"PYTHONPATH": str(WORKFLOW), cores.ALONE: str(int(CORES == 1))} | cores.ENVIRONMENT)
os.environ[parents.WORKFLOW] = str(os.getpid())


def code(script, modules=()):
    """Digest of a script and all that it imports, modules that it imports by name included."""
    return fingerprints.code(
        WORKFLOW / "scripts" / script, tuple(modules), known=Path(".snakemake/histopatch-sources")
    )


# --- what is asked for ------------------------------------------------------------------------------

SHARDS, FILES = [], {}  # of patches, and of slides; the rules of the kind that is asked for know them
ASKED_FOR = {}


def answers(*kinds):
    """Mark a function to the files that the rules make of these kinds of input, for the rule `all`."""

    def mark(files):
        ASKED_FOR.update(dict.fromkeys(kinds, files))
        return files

    return mark


def asked_files():
    return [f"{OUT}/{file}" for file in ASKED_FOR[ASKED.kind]()]
