import pytest

from histopatch.data.pack_index import find_images, with_rows
from histopatch.errors import InputError


@pytest.fixture
def index(csv):
    return str(csv("index.csv", "id,row,file", "b,0,b.tif", "x,1,x.tif", "NA,2,NA.tif", "007,5,007.tif"))


def test_patches_get_the_rows_of_their_images_in_their_order(csv, index):
    table = csv("main.csv", "id,label,slide,fold", "007,1,,0", "NA,0,s,-2", "b,1,,-1")
    found = with_rows(str(table), index, ["label", "slide"])
    assert found.to_dict("list") == {"row": [5, 2, 0], "label": [1, 0, 1], "slide": ["", "s", ""]}


def test_a_patch_that_the_pack_lacks_is_named(csv, index):
    table = csv("main.csv", "id,label", "b,1", "c,0")
    with pytest.raises(InputError, match=r"index\.csv: the patch 'c' of .*main\.csv is not there"):
        with_rows(str(table), index, ["label"])


def test_images_are_found_by_id_and_by_row(index):
    assert find_images(index, "id", ["007", "b", "none"]).to_dict("list") == {
        "id": ["b", "007"],
        "row": [0, 5],
    }
    assert find_images(index, "row", [2]).id.tolist() == ["NA"]
