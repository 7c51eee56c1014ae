"""The summary cut into its sections, and Markdown as HTML that asks nothing of the network."""

import re
from typing import NamedTuple

from markdown_it import MarkdownIt
from markupsafe import Markup

from histopatch.report.chapters import FIRST

HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)


class Section(NamedTuple):
    """A heading, without Markdown's marks of code, and the Markdown below it up to the next heading."""

    title: str
    text: str


def read_sections(markdown: str) -> list[Section]:
    """Cut a text into its sections, in order; the first heading, the title of the text, becomes FIRST."""
    headings = [*HEADING.finditer(markdown)]
    ends = [*(heading.start() for heading in headings[1:]), len(markdown)]
    return [
        Section(heading[2].replace("`", "") if number else FIRST, markdown[heading.end() : end].strip())
        for number, (heading, end) in enumerate(zip(headings, ends, strict=True))
    ]


def to_html(markdown: str) -> Markup:
    """Markdown as HTML: tags in it show as text, links lose their target, wide tables scroll."""
    return Markup(_RENDERER.render(markdown))


def to_inline_html(markdown: str) -> Markup:
    """A line of Markdown as HTML without a paragraph around it."""
    return Markup(_RENDERER.renderInline(markdown))


def _renderer() -> MarkdownIt:
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    rules = renderer.renderer.rules
    for name in ("link_open", "link_close"):  # of files that a mail does not bring along
        rules[name] = lambda *_: ""
    rules["image"] = lambda tokens, index, *_: ""
    rules["table_open"] = lambda *_: '<div class="table"><table>\n'
    rules["table_close"] = lambda *_: "</table></div>\n"
    return renderer


_RENDERER = _renderer()
