import pandas as pd
import pytest

from histopatch.data.folds import HELD_OUT, TRAIN_ONLY, fold_name, parts, patches_of, read_split
from histopatch.errors import InputError

SPLIT = pd.DataFrame({"id": [*"abcdef"], "fold": [TRAIN_ONLY, 0, 1, 1, HELD_OUT, 0]})


@pytest.mark.parametrize(("fold", "train", "validation"), [(0, "acd", "bf"), (1, "abf", "cd")])
def test_a_fold_validates_and_all_but_the_held_out_train(fold, train, validation):
    found = parts(SPLIT, fold)
    assert ["".join(part.id) for part in found] == [train, validation]


def test_folds_have_names():
    assert [fold_name(fold) for fold in (TRAIN_ONLY, HELD_OUT, 0, 3)] == [
        "training",
        "held out",
        "fold 0",
        "fold 3",
    ]


@pytest.fixture
def split(csv):
    return str(csv("main.csv", "id,label,slide,fold", "007,1,,0", "NA,0,s,-2", "b,1,,-1"))


def test_a_split_finds_the_rows_of_its_patches_by_id(split, csv):
    index = csv("index.csv", "id,row,file", "b,0,b.tif", "x,1,x.tif", "NA,2,NA.tif", "007,5,007.tif")
    table = read_split(split, str(index))
    assert table.row.tolist() == [5, 2, 0]
    assert table.fold.tolist() == [0, HELD_OUT, TRAIN_ONLY]
    assert table.label.tolist() == [1, 0, 1]
    assert table.slide.tolist() == ["", "s", ""]


def test_a_patch_that_the_pack_lacks_is_named(split, csv):
    index = csv("index.csv", "id,row", "b,0", "NA,2")
    with pytest.raises(InputError, match=r"index\.csv: the patch '007' of .*main\.csv is not there"):
        read_split(split, str(index))


def test_the_patches_of_a_fold_are_in_the_order_of_the_split(split):
    def listed(fold: int) -> dict[str, list]:
        return pd.concat(patches_of(split, fold)).to_dict("list")

    assert listed(HELD_OUT) == {"id": ["NA"], "label": [0]}
    assert listed(5) == {"id": [], "label": []}
