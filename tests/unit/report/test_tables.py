import pytest

from histopatch.report.chapters import Column, Table
from histopatch.report.tables import read_cells

COLUMNS = (
    Column("run", "run"),
    Column("auc", "AUROC", ".4f"),
    Column("tied", "tied"),
    Column("n", "patches"),
)


@pytest.fixture
def cells(tmp_path):
    def read(*lines, **table):
        path = tmp_path / "table.csv"
        path.write_text("\n".join(lines) + "\n")
        return read_cells(Table("a table", "table.csv", COLUMNS, **table), path)

    return read


def test_numbers_have_their_format_and_gaps_a_dash(cells):
    found = cells("run,auc,tied,n,other", "007,0.91239,True,12,x", "b,,False,3,y", "c,0.5,,1,z")
    assert found.headers == ["run", "AUROC", "tied", "patches"]
    assert found.rows == [["007", "0.9124", "yes", "12"], ["b", "–", "no", "3"], ["c", "0.5000", "–", "1"]]
    assert found.count == 3


def test_a_column_that_is_not_there_is_left_out(cells):
    assert cells("run,n", "a,1").headers == ["run", "patches"]


def test_an_empty_table_has_no_rows(cells):
    assert cells("run,auc,tied,n").rows == []


def test_a_long_table_is_cut_and_counted(cells):
    found = cells("run", *"abcdef", rows=4)
    assert (len(found.rows), found.count) == (4, 6)


def test_settings_in_which_the_runs_differ_are_added(cells):
    found = cells("run,lr,dropout,epochs", "a,0.0003,0.2,2", "b,0.001,0.2,2", settings=True)
    assert found.headers == ["run", "lr"]
    assert [row[1] for row in found.rows] == ["0.0003", "0.001"]
