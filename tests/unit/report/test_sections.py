import html
import re

import pytest

from histopatch.evaluation.markdown import code, escape
from histopatch.report.sections import Section, read_sections, to_html, to_inline_html

SUMMARY = """# mine

Question and answer.

## Study `rate`

| run | AUROC |
| --- | --: |
| `a` | 0.9 |

### What helped and what did not in `rate`

- This.
"""


def test_a_text_is_cut_at_every_heading():
    assert read_sections(SUMMARY) == [
        Section("first", "Question and answer."),
        Section("Study rate", "| run | AUROC |\n| --- | --: |\n| `a` | 0.9 |"),
        Section("What helped and what did not in rate", "- This."),
    ]


def test_tables_scroll_by_themselves():
    page = to_html(read_sections(SUMMARY)[1].text)
    assert '<div class="table"><table>' in page
    assert "<td><code>a</code></td>" in page


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a*b_c|`d`"])
@pytest.mark.parametrize("made_harmless", [escape, code])
def test_what_others_wrote_shows_as_it_is(evil, made_harmless):
    page = str(to_html(f"Above all {made_harmless(evil)}."))
    assert not re.search("<(script|img|em)", page)
    shown = html.unescape(page)
    assert (evil if made_harmless is escape else evil.replace("|", r"\|")) in shown


def test_tags_and_targets_stay_out():
    page = to_html("[final/roc.csv](../final/roc.csv) <b>bold</b> ![x](http://example.org/x.png)")
    assert "href" not in page and "src" not in page
    assert "final/roc.csv" in page
    assert "&lt;b&gt;" in page


def test_a_line_has_no_paragraph_around_it():
    assert to_inline_html("``splits/<name>.csv`` holds it") == (
        "<code>splits/&lt;name&gt;.csv</code> holds it"
    )
