"""docs/inputs.md says what the tests show."""

import pytest
from inputs import DOORS, PAGE, page, rows


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == page(), "write it again: python tests/inputs.py"


def test_every_section_has_rows():
    assert {row.door for row in rows()} == {*DOORS}


def test_no_input_is_described_twice():
    kinds = [(row.door, row.kind) for row in {*rows()}]
    assert len(kinds) == len({*kinds}), sorted(kind for kind in {*kinds} if kinds.count(kind) > 1)


@pytest.mark.parametrize(
    "marker", ['@pytest.mark.input("Windows", "a", "b")', '@pytest.mark.input("Images", f"a", "b")']
)
def test_a_marker_that_the_page_could_not_show_is_an_error(marker, tmp_path):
    (tmp_path / "test_it.py").write_text(f"import pytest\n\n\n{marker}\ndef test_it():\n    pass\n")
    with pytest.raises(ValueError, match=r"test_it\.py:4"):
        list(rows(tmp_path))
