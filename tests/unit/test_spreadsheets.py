import pandas as pd
import pytest

from histopatch.files import read_table, write_table
from histopatch.spreadsheets import harmless

RUN = ["=1+1", '=HYPERLINK("http://a";"b")', "+1", "@SUM(A1)", "-1+cmd|'x'!A1", "\t=1", "'=1", "''+1"]
NAMES = ["-12", "-a.b-c/d", "'quoted'", "a=b", "a+b", "#x", "é", "<b>", "1e5", "'"]


@pytest.mark.input(
    "Table",
    "A slide, file or path that a spreadsheet would run, such as `=HYPERLINK(…)`",
    "kept; written with an apostrophe before it, which is taken off when the table is read again",
)
@pytest.mark.parametrize("text", RUN)
def test_what_a_spreadsheet_would_run_is_written_with_an_apostrophe_and_read_as_it_was(tmp_path, text):
    table = pd.DataFrame({"slide": ["a", text, None], "value": [-0.5, 1.0, -2.0]})
    write_table(table, tmp_path / "table.csv")
    written = pd.read_csv(tmp_path / "table.csv", dtype=str, keep_default_na=False)
    assert written.slide.tolist() == ["a", f"'{text}", ""]
    assert written.value.tolist() == ["-0.5", "1.0", "-2.0"]
    read = read_table(tmp_path / "table.csv")
    assert read.slide.tolist()[:2] == ["a", text]
    assert read.slide.isna().tolist() == [False, False, True]


@pytest.mark.parametrize("text", NAMES)
def test_other_names_are_written_as_they_are(tmp_path, text):
    write_table(pd.DataFrame({"id": [text]}), tmp_path / "table.csv")
    assert pd.read_csv(tmp_path / "table.csv", dtype=str, keep_default_na=False).id.tolist() == [text]
    assert read_table(tmp_path / "table.csv").id.tolist() == [text]


def test_numbers_among_texts_are_left_alone():
    table = pd.DataFrame({"mixed": ["=1", -0.5, None, True], "number": [-1, 2, 3, 4]}, index=[3, 5, 7, 9])
    assert harmless(table).mixed.tolist() == ["'=1", -0.5, None, True]
    assert harmless(table).number.tolist() == [-1, 2, 3, 4]
