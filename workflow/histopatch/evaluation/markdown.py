"""Texts that other people wrote, made harmless in Markdown and in the HTML that it becomes."""

import html
import re
from collections.abc import Sequence


def escape(text: str) -> str:
    """A text that shows as it is: no tag, link, table or emphasis comes of it, and it is one line."""
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", html.escape(" ".join(text.split()), quote=False))


def code(text: str) -> str:
    """A code span of a text, on one line, that ends neither at a backtick nor, in a table, at a bar."""
    text = " ".join(text.split()).replace("|", r"\|")
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    space = " " if "`" in (text[:1], text[-1:]) else ""
    return f"{fence}{space}{text}{space}{fence}"


def listed(names: Sequence[str], most: int) -> str:
    """Code spans of the first names, and how many more there are."""
    rest = len(names) - most
    return ", ".join(map(code, names[:most])) + (f" and {rest:,} more" if rest > 0 else "")
