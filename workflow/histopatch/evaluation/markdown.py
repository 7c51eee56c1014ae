"""Texts that other people wrote, made harmless in Markdown and in the HTML that it becomes."""

import html
import re


def escape(text: str) -> str:
    """A text that shows as it is: no tag, link, table or emphasis comes of it, and it is one line."""
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", html.escape(" ".join(text.split()), quote=False))
