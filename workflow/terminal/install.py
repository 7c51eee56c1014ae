"""Puts the display in the place of Snakemake's handler for the terminal."""

import logging
import os

from snakemake.workflow import Workflow

from histopatch.console import SPOKEN_FOR
from terminal.display import Display, Job
from terminal.interrupts import handle_interrupts
from terminal.subject import Subject

SNAKEMAKES = "DefaultStreamHandler"  # the name of its handler


def speak_for_jobs(workflow: Workflow, subject: Subject) -> None:
    """Tell of the jobs of this call in words, `subject` being what it runs.

    Snakemake tells of them itself where it is asked to say more or less than usual (`--verbose`,
    `--printshellcmds`, `--debug-dag`, `--quiet`), in a dry run, with another logger plugin, and in the
    processes in which it runs a job on another machine.
    """
    os.environ.pop(SPOKEN_FOR, None)
    settings, logger = workflow.output_settings, logging.getLogger("snakemake.logging")
    own = [handler for handler in logger.handlers if handler.name == SNAKEMAKES]
    asked_otherwise = (
        settings.dryrun or settings.verbose or settings.printshellcmds or settings.debug_dag or settings.quiet
    )
    if asked_otherwise or not own or not workflow.is_main_process:
        return

    def unfinished() -> list[Job]:
        return [Job(job.rule.name, dict(job.wildcards_dict)) for job in workflow.dag.needrun_jobs()]

    display = Display(own[0], subject, unfinished, runs_jobs=lambda: not workflow.touch)
    logger.removeHandler(own[0])
    logger.addHandler(display)
    os.environ[SPOKEN_FOR] = "1"
    handle_interrupts(display.interrupt)
