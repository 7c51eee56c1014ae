import numpy as np
import pandas as pd
import pytest

from histopatch.data import explore


def test_class_balance_counts_and_shares(csv, tmp_path):
    labels = csv("clean.csv", "id,label", "a,1", "b,0", "c,0")
    explore.class_balance(str(labels), str(tmp_path / "table.csv"))
    table = pd.read_csv(tmp_path / "table.csv")
    assert table.to_dict("list") == {"label": [0, 1], "patches": [2, 1], "share": [0.6667, 0.3333]}


@pytest.fixture
def images(csv, tmp_path):
    """The findings of a small training part and a smaller test part: value and images by part and check."""
    index = csv(
        "train.index.csv",
        "id,row,file,mode,width,height,min,max,mean,std",
        "a,0,a.tif,RGB,96,96,0,255,100.0,50.0",
        "b,1,b.tif,RGB,96,96,10,250,200.0,6.0",
        "c,2,c.tif,L,96,96,20,240,150.0,2.5",
    )
    rejected = csv(
        "train.rejected.csv",
        "id,file,reason",
        "d,d.tif,unreadable: OSError",
        "e,e.tif,unreadable: OSError",
    )
    test_index = csv(
        "test.index.csv",
        "id,row,file,mode,width,height,min,max,mean,std",
        "z,0,z.tif,RGB,96,64,30,99,60.0,9.0",
    )
    test_rejected = csv("test.rejected.csv", "id,file,reason")
    parts = {"train": (str(index), str(rejected)), "test": (str(test_index), str(test_rejected))}
    explore.check_images(parts, 6.0, str(tmp_path / "images.csv"))
    table = pd.read_csv(tmp_path / "images.csv", dtype={"value": str})
    assert list(table) == ["part", "check", "value", "images"]
    found = table.groupby(["part", "check"])[["value", "images"]]
    return {key: dict(group.itertuples(index=False, name=None)) for key, group in found}


def test_images_are_counted_by_shape_mode_and_reason(images):
    assert images["train", "shape"] == {"96×96": 3}
    assert images["test", "shape"] == {"96×64": 1}
    assert images["train", "mode"] == {"RGB": 2, "L": 1}
    assert images["train", "set aside"] == {"unreadable: OSError": 2}
    assert ("test", "set aside") not in images


def test_near_blank_is_below_the_threshold(images):
    assert images["train", "near blank"] == {"standard deviation below 6": 1}
    assert images["test", "near blank"] == {"standard deviation below 6": 0}


def test_the_range_of_pixel_values_is_that_of_the_part(images):
    values = {check: next(iter(found)) for (part, check), found in images.items() if part == "train"}
    assert (values["lowest pixel value"], values["highest pixel value"]) == ("0", "255")
    assert values["mean pixel value"] == "150.0"
    assert (values["darkest patch, mean"], values["brightest patch, mean"]) == ("100.0", "200.0")
    assert images["test", "highest pixel value"] == {"99": 1}


def test_histograms_are_shares_of_the_pixels_of_a_class(csv, tmp_path, monkeypatch):
    monkeypatch.setattr(explore, "CHUNK", 2)  # so that a class takes several reads
    pixels = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3), np.uint8)
    np.save(tmp_path / "pack.npy", pixels)
    # The ids are in another order than the rows, and the pack has a patch that the labels lack.
    row_of = {"f": 0, "e": 1, "d": 2, "c": 3, "b": 4, "a": 5, "unlabelled": 6}
    index = csv("index.csv", "id,row", *(f"{name},{row}" for name, row in row_of.items()))
    label_of = {"a": 0, "b": 1, "c": 0, "d": 0, "e": 0, "f": 1}
    labels = csv("clean.csv", "id,label", *(f"{name},{label}" for name, label in label_of.items()))
    explore.rgb_histograms(str(tmp_path / "pack.npy"), str(index), str(labels), str(tmp_path / "table.csv"))

    table = pd.read_csv(tmp_path / "table.csv")
    assert list(table) == ["label", "channel", "value", "share"]
    assert len(table) == 2 * 3 * 256
    for label in (0, 1):
        rows = [row_of[name] for name in label_of if label_of[name] == label]
        for c, channel in enumerate(["red", "green", "blue"]):
            found = table[(table.label == label) & (table.channel == channel)]
            expected, _ = np.histogram(pixels[rows, ..., c], bins=np.arange(257))
            assert found.value.tolist() == list(range(256))
            assert found.share.to_numpy() == pytest.approx(expected / expected.sum(), abs=1e-8)
