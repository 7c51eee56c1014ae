import pytest

from histopatch.evaluation.markdown import code, escape


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("lr=0.1, dropout=0.2", "`lr=0.1, dropout=0.2`"),
        ("weights=a`b|c", r"``weights=a`b\|c``"),
        ("`a``", "``` `a`` ```"),
        ("a\nb", "`a b`"),
    ],
)
def test_a_code_span_ends_where_the_text_does(text, shown):
    assert code(text) == shown
