import pytest

from histopatch.evaluation.markdown import escape


@pytest.mark.input(
    "Table",
    "Names with HTML, Markdown or line ends",
    "shown as they are in the summary and the report, never run",
)
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a|b", r"a\|b"),
        ("[x](http://y)", r"\[x\](http://y)"),
        ("`a` *b* __c__", r"\`a\` \*b\* \_\_c\_\_"),
        ("a\n\n# b", r"a \# b"),
        ("a & b", "a &amp; b"),
        ("plain 0.95 (3/4), é", "plain 0.95 (3/4), é"),
    ],
)
def test_a_text_shows_as_it_is(text, shown):
    assert escape(text) == shown
