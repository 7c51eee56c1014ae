import os

import pandas as pd
import pytest

from histopatch.errors import InputError
from histopatch.prediction.inputs import list_patches


def test_the_images_of_a_folder_at_any_depth(ask, images):
    (images / "notes.txt").touch()
    (images / ".hidden.png").touch()
    listed = list_patches(ask(images))
    assert listed.id.tolist() == listed.file.tolist() == [f"a/{number:02d}.png" for number in range(12)]
    assert (listed.row == -1).all()
    assert listed.bytes[3] == os.path.getsize(images / "a/03.png")


def test_the_paths_of_a_table_start_from_its_folder_or_the_root(ask, images, csv):
    table = csv("patches.csv", "name,path", "one,images/a/01.png", f"two,{images}/a/02.png", "three,gone.png")
    listed = list_patches(ask(table))
    assert listed.id.tolist() == ["images/a/01.png", f"{images}/a/02.png", "gone.png"]
    assert (listed.bytes > 0).tolist() == [True, True, False]
    assert "label" not in listed


def test_a_table_may_have_labels(ask, images, csv):
    table = csv("patches.csv", "file,label", "images/a/01.png,1", "images/a/02.png,0.0", "images/a/03.png,")
    assert list_patches(ask(table)).label.tolist() == ["1", "0", ""]


@pytest.mark.parametrize("suffix", ["tsv", "parquet"])
def test_other_tables_are_read_too(ask, tmp_path, suffix):
    frame, path = pd.DataFrame({"image": ["x.png", "y.png"]}), tmp_path / f"patches.{suffix}"
    frame.to_parquet(path) if suffix == "parquet" else frame.to_csv(path, sep="\t", index=False)
    assert list_patches(ask(path)).id.tolist() == ["x.png", "y.png"]


def test_the_rows_of_an_array(ask, pixels, array):
    listed = list_patches(ask(array(pixels)))
    assert listed.id.tolist() == [f"{row:06d}" for row in range(12)]
    assert listed.row.tolist() == [*range(12)]
    assert {*listed.file} == {"test.h5"}


@pytest.mark.input(
    "Prediction", "A folder without images, or a table without paths", "refused: what is there instead"
)
def test_an_input_without_patches_is_refused(ask, tmp_path, csv):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/a.docx").touch()
    with pytest.raises(InputError, match=r"no images here .* 1 \.docx"):
        list_patches(ask(tmp_path / "empty"))
    with pytest.raises(InputError, match="there are no paths in the table"):
        list_patches(ask(csv("none.csv", "path,label", ",1")))
    with pytest.raises(InputError, match="there is no column 'path'"):
        list_patches(ask(csv("other.csv", "name,where", "a,b")))


@pytest.mark.input("Prediction", "A path twice in a table", "predicted once; refused with two labels")
def test_a_path_is_predicted_once(ask, csv):
    assert len(list_patches(ask(csv("twice.csv", "path,label", "a.png,1", "a.png,1")))) == 1
    with pytest.raises(InputError, match=r"line 3: 'a\.png' stands above with another label"):
        list_patches(ask(csv("both.csv", "path,label", "a.png,1", "a.png,0")))


@pytest.mark.input("Prediction", "A label in a table that is not 0, 1 or empty", "refused: its line")
def test_other_labels_are_refused(ask, csv):
    with pytest.raises(InputError, match="line 4: the label is '2'"):
        list_patches(ask(csv("labels.csv", "path,label", "a.png,1", "b.png,0", "c.png,2")))


@pytest.mark.input(
    "Prediction",
    "An HDF5 file without patches in `x`, damaged, or with patches of another size",
    "refused: what it has",
)
def test_an_array_of_another_kind_is_refused(ask, pixels, array):
    for content, words in [
        (pixels[:, :32, :32], "have 32×32 px; the model takes 40×40"),
        (pixels[:0], "no patches"),
    ]:
        with pytest.raises(InputError, match=words):
            list_patches(ask(array(content)))
    with pytest.raises(InputError, match="has no array 'x', but y"):
        list_patches(ask(array(pixels, "y")))
    path = array(pixels)
    path.write_bytes(b"no HDF5")
    with pytest.raises(InputError, match="cannot be read as HDF5"):
        list_patches(ask(path))
