import pandas as pd
import pytest

from histopatch.errors import InputError
from histopatch.given_splits.matching import match_images

IMAGES = ["s1/0_0.png", "s1/0_1.png", "s2/0_0.png", "s2/other.tif", "whole.png", "s2/whole.png"]


def match(*names: str, images=IMAGES) -> list[str]:
    return match_images(pd.Series(names), images, "theirs.csv").tolist()


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("s1/0_0.png", "s1/0_0.png"),
        ("s1/0_0", "s1/0_0.png"),
        ("./s1//0_0.png", "s1/0_0.png"),
        ("s1\\0_0.png", "s1/0_0.png"),
        ("other", "s2/other.tif"),
        ("other.tif", "s2/other.tif"),
        ("whole.png", "whole.png"),  # a whole path counts before the end of another
        ("s3/0_0.png", ""),
        ("0_9.png", ""),
        ("other.png", ""),
    ],
)
def test_a_name_is_a_path_or_its_end(name, image):
    assert match(name, "s2/0_0.png") == [image, "s2/0_0.png"]


def test_folders_of_another_machine_need_not_be_here():
    assert match("/home/x/set/s1/0_0.png", "/home/x/set/s2/0_0.png") == ["s1/0_0.png", "s2/0_0.png"]
    assert match("../set/s1/0_0", "../set/s2/other") == ["s1/0_0.png", "s2/other.tif"]


def test_folders_that_not_all_names_begin_with_are_never_left_out():
    """Or an image of a slide that is not here would be taken for one of another slide."""
    assert match("s2/other.tif", "s9/0_1.png") == ["s2/other.tif", ""]


def test_a_name_that_several_images_have_is_refused():
    with pytest.raises(
        InputError, match=r"theirs.csv: '0_0' may be 's1/0_0.png' or 's2/0_0.png'; write the path"
    ):
        match("0_0", "other")
