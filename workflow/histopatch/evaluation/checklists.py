"""Reporting checklists, filled as far as the kept files know."""

import os
from pathlib import Path

import pandas as pd

from histopatch.evaluation.checklist_items import CHECKLISTS, Item
from histopatch.evaluation.facts import Fact, read_facts
from histopatch.evaluation.markdown import escape
from histopatch.files import replacing, write_table

COLUMNS = ["item", "topic", "about", "status", "known", "source", "for_the_authors"]
FILLED, IN_PART, OPEN = "filled", "in part", "for the authors"
CENTRAL = ("data", "model", "evaluation", "code")


def write_checklists(sources: dict[str, str], root: str, tables: dict[str, str], text: str) -> None:
    """Write each checklist as a table (CSV, COLUMNS) and all of them as Markdown.

    sources: the files that facts are read from; root: the folder of the results, which paths in the tables
    are relative to; tables: where the table of each of CHECKLISTS goes; text: where the Markdown goes.

    `status` is `filled` where the files know all that an item asks for, `in part` where authors must add to
    it (`for_the_authors` says what), and `for the authors` where only they can know.
    """
    facts = read_facts(sources)
    lines = [
        "# Reporting checklists",
        "",
        "Filled from the files of this experiment. What is not there is left to the authors; nothing is "
        "guessed. Topics are shortened: the published guidelines say what each item asks for.",
    ]
    for name, (title, items) in CHECKLISTS.items():
        table = fill(items, facts, root)
        write_table(table, tables[name])
        lines += ["", f"## {title}", "", *_describe(table, os.path.dirname(os.path.relpath(text, root)))]
    with replacing(text) as temporary:
        Path(temporary).write_text("\n".join(lines) + "\n")


def fill(items: tuple[Item, ...], facts: dict[str, Fact], root: str) -> pd.DataFrame:
    """A checklist, COLUMNS, with what the facts say about each item."""
    rows = []
    for item in items:
        known = [facts[name] for name in item.facts]
        status = OPEN if not known else IN_PART if item.authors else FILLED
        paths = dict.fromkeys(os.path.relpath(fact.source, root) for fact in known)
        rows.append(
            (
                item.number,
                item.topic,
                item.about,
                status,
                " ".join(fact.text for fact in known),
                " ".join(paths),
                item.authors,
            )
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def _describe(table: pd.DataFrame, folder: str) -> list[str]:
    """A checklist in Markdown; folder: of the text, relative to the results."""
    central = table[table.about.isin(CENTRAL)]
    known, central_known = ((part.status != OPEN).sum() for part in (table, central))
    lines = [
        f"{known} of {len(table)} items are filled, at least in part; of the {len(central)} about data, "
        f"model, evaluation and code, {central_known} ({100 * central_known / len(central):.0f} %).",
        "",
        "| item | topic | status | known | from | for the authors |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in table.itertuples():
        links = ", ".join(f"[{path}]({os.path.relpath(path, folder)})" for path in row.source.split())
        cells = (row.item, row.topic, row.status, escape(row.known), links, row.for_the_authors)
        lines.append(f"| {' | '.join(cells)} |")
    return lines
