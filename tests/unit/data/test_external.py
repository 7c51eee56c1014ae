"""The patches of an external data set."""

import pytest

from histopatch.data.external import external_patches
from histopatch.data.formats.kaggle import Kaggle
from histopatch.errors import InputError
from histopatch.files import read_table


@pytest.fixture
def patches(tmp_path):
    def run(labels: str, slides: str | None = None):
        (tmp_path / "clean.csv").write_text(f"id,label\n{labels}")
        section = {"format": "kaggle", "root": str(tmp_path)}
        if slides is not None:
            (tmp_path / "slides.csv").write_text(f"id,slide\n{slides}")
            section["slides"] = str(tmp_path / "slides.csv")
        dataset = Kaggle.read(section | {"columns": {}, "slide_columns": {}, "patch_size": "auto"}, "results")
        external_patches("site", str(tmp_path / "clean.csv"), dataset, str(tmp_path / "patches.csv"))
        return read_table(tmp_path / "patches.csv")

    return run


def test_all_are_held_out_with_the_slides_that_are_known(patches):
    table = patches("a,0\nb,1\nc,1\n", "b,s2\na,s1\n")
    assert [*table.id] == ["a", "b", "c"]
    assert [*table.label] == [0, 1, 1]
    assert [*table.slide.fillna("")] == ["s1", "s2", ""]
    assert (table.fold == -2).all()


def test_slides_may_be_unknown(patches):
    assert patches("a,0\nb,1\n").slide.isna().all()


def test_cleaning_may_leave_one_class(patches):
    with pytest.raises(InputError, match=r"external\.site: 2 of 2 usable patches are positive"):
        patches("a,1\nb,1\n")
