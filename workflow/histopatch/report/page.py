"""The report: one page that needs no other file, made of the tables and figures that the chapters name."""

import base64
import datetime
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from histopatch.figures.catalogue import Figure
from histopatch.files import read_table, replacing
from histopatch.report import gallery, pictures, reproduction, tables
from histopatch.report.chapters import (
    CHAPTERS,
    SUMMARY,
    Chapter,
    Document,
    EachStudy,
    Mistakes,
    Picture,
    Reproduction,
    Suspects,
    Table,
    Words,
    figure_file,
    figures,
    filled,
)
from histopatch.report.sections import Section, read_sections, to_html, to_inline_html

TEXTS = Path(__file__).parents[2] / "report"  # the captions, and under `page` the template


def write_report(
    experiment: str,
    root: str,
    studies: Sequence[str],
    splits: Sequence[str],
    reports: Sequence[str],
    configuration: dict,
    report: str,
) -> None:
    """Write the report of an experiment.

    root: the folder of its results, which holds `chapters.files`; studies and splits: their names; reports:
    the run.json of each network of the final model; configuration: the section of the experiment, as
    `config.without_defaults` returns it.
    """
    page = _Page(experiment, Path(root), studies, splits, reports, configuration)
    environment = Environment(
        loader=FileSystemLoader(TEXTS / "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (TEXTS / "page/page.js").read_text()
    html = environment.get_template("page.html").render(
        experiment=experiment,
        chapters=[{"title": chapter.title, "blocks": page.blocks(chapter)} for chapter in CHAPTERS],
        style=Markup((TEXTS / "page/page.css").read_text()),
        script=Markup(script),
        # No other script runs, whatever stands in the tables.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        date=datetime.date.today().isoformat(),
    )
    with replacing(report) as temporary:
        temporary.write_text(html)


class _Page:
    """What the template shows for each block of a chapter, as plain values with a `kind`."""

    def __init__(self, experiment, root, studies, splits, reports, configuration):
        self.experiment, self.root, self.reports = experiment, root, reports
        self.configuration = configuration
        self.studies = studies
        self.sections = read_sections((root / SUMMARY).read_text())
        self.figures = [*figures(studies, splits)]
        self.show = {
            Words: self._words,
            Picture: self._picture,
            EachStudy: self._each_study,
            Table: self._table,
            Mistakes: self._mistakes,
            Suspects: self._suspects,
            Document: self._document,
            Reproduction: self._reproduction,
        }

    def blocks(self, chapter: Chapter) -> list[dict]:
        """The blocks of a chapter, and what is at home in it though no chapter names it."""
        shown = [each for block in chapter.blocks for each in self.show[type(block)](block)]
        if isinstance(chapter.blocks[0], Words) and chapter.blocks[0].title:
            shown[0]["title"] = None  # that of the chapter is enough
        for block in shown:
            if block["kind"] == "text" and (block["title"] or "").startswith(f"{chapter.title} "):
                block["title"] = block["title"].removeprefix(f"{chapter.title} ").capitalize()
        shown += [_text(section) for section in self._other_sections(chapter)]
        named = {block.figure for each in CHAPTERS for block in each.blocks if isinstance(block, Picture)}
        others = [
            (figure, name)
            for figure, name in self.figures
            if figure.category == chapter.category and figure.name not in {*named, "study"}
        ]
        return shown + [self._figure(figure, name) for figure, name in others]

    def _other_sections(self, chapter: Chapter) -> Iterator[Section]:
        """The sections that no chapter names and that follow one of this chapter."""
        home = None
        for section in self.sections:
            naming = [each for each in CHAPTERS if self._names(each, section.title)]
            home = naming[0] if naming else home
            if not naming and home is chapter:
                yield section

    def _names(self, chapter: Chapter, title: str) -> bool:
        return any(
            (isinstance(block, Words) and block.names(title))
            or (isinstance(block, EachStudy) and title in map(_title_of_study, self.studies))
            for block in chapter.blocks
        )

    def _words(self, block: Words) -> list[dict]:
        return [_text(section) for section in self.sections if block.names(section.title)]

    def _picture(self, block: Picture) -> list[dict]:
        return [self._figure(figure, name) for figure, name in self.figures if figure.name == block.figure]

    def _each_study(self, _) -> list[dict]:
        shown = []
        for study in self.studies:
            shown += self._words(Words(_title_of_study(study)))
            shown += [self._figure(f, name) for f, name in self.figures if (f.name, name) == ("study", study)]
        return shown

    def _figure(self, figure: Figure, name: str) -> dict:
        caption = (TEXTS / f"{figure.name}.rst").read_text().strip()
        first = name == next(own for each, own in self.figures if each is figure)  # one caption for all of it
        return {
            "kind": "figure",
            "picture": pictures.from_file(self.root / figure_file(figure, name)),
            "label": filled(figure, figure.label, name),
            "alt": filled(figure, figure.alt, name),
            "caption": to_inline_html(caption) if first else None,
        }

    def _table(self, block: Table) -> list[dict]:
        cells = tables.read_cells(block, self.root / block.file)
        return (
            [{"kind": "table", "title": block.title, "file": block.file, "cells": cells}]
            if cells.rows
            else []
        )

    def _mistakes(self, block: Mistakes) -> list[dict]:
        patches = gallery.mistakes(*(self.root / file for file in block.files))
        mapped = any(len(patch.pictures) > 1 for patch in patches)
        beside = (
            ", each patch beside what speaks for the wrong class (Grad-CAM of one view; the probability may "
            "average several)"
        )
        text = (
            f"The most confident wrong predictions of each class{beside if mapped else ''}. Such a patch may "
            "have a wrong label. Where the final model averages several runs, these are the mistakes of the "
            "best one."
            if patches
            else "No patch lies on the wrong side of a probability of one half."
        )
        return [{"kind": "gallery", "title": "Confident mistakes", "text": text, "patches": patches}]

    def _suspects(self, block: Suspects) -> list[dict]:
        patches = gallery.suspects(*(self.root / file for file in block.files))
        text = f"The first {len(patches)}, the most suspicious first." if patches else ""
        return [{"kind": "gallery", "title": None, "text": text, "patches": patches}] if patches else []

    def _document(self, block: Document) -> list[dict]:
        sections = read_sections((self.root / block.file).read_text())
        return [
            {"kind": "document", "title": block.title, "sections": [_text(section) for section in sections]}
        ]

    def _reproduction(self, _) -> list[dict]:
        runs = read_table(self.root / "tables/runs.csv")
        commit = reproduction.commit_of(TEXTS.parents[1])
        facts = reproduction.facts(self.experiment, self.reports, runs, commit)
        return [
            {
                "kind": "reproduction",
                "facts": {name: to_inline_html(text) for name, text in facts.items()},
                "files": {
                    "Configuration": reproduction.configuration_file(self.experiment, self.configuration),
                    "Settings of the final model": reproduction.settings_of_networks(self.reports),
                },
            }
        ]


def _title_of_study(study: str) -> str:
    return f"Study {study}"


def _text(section: Section) -> dict:
    return {"kind": "text", "title": section.title, "html": to_html(section.text)}
