import numpy as np
import pytest
from PIL import Image

from histopatch.errors import InputError
from histopatch.slides.inputs import are_slides, list_slides

TABLES = (".csv",)


@pytest.fixture
def folder(tmp_path):
    """Write images of some size and files of some name into a folder, and return it."""

    def write(size: int, *names: str) -> str:
        (tmp_path / "in").mkdir()
        for name in names:
            if name.endswith("png"):
                Image.fromarray(np.zeros((size, size, 3), np.uint8)).save(tmp_path / "in" / name)
            else:
                (tmp_path / "in" / name).write_bytes(b"")
        return str(tmp_path / "in")

    return write


def are(path) -> bool:
    return are_slides(str(path), TABLES, 96)


@pytest.mark.parametrize(
    ("size", "names", "slides"),
    [
        (96, ["a.png", "b.png"], False),
        (300, ["a.png", "b.png"], True),
        (100, ["a.png"], False),  # another patch size, of which each is a row with its reason
        (96, ["a.svs", "b.png"], True),
        (96, ["notes.txt"], False),
    ],
)
def test_a_folder_of_larger_images_or_of_slides_is_tiled(folder, size, names, slides):
    assert are(folder(size, *names)) == slides


def test_a_single_image_is_tiled_and_a_table_is_looked_into(folder, csv):
    where = folder(300, "a.png", "b.png")
    assert are(f"{where}/a.png")
    assert are(csv("t.csv", "path,label", "in/a.png,1", "in/b.png,0"))
    assert not are(csv("u.csv", "path", "in/none.png"))
    assert not are(csv("v.csv", "something", "else"))


def test_slides_have_names_for_their_folders(folder, csv):
    where = folder(300, "a b{c}.png", "d.ndpi", ".hidden.svs", "notes.txt", "Präparat 片.png")
    assert list_slides(where).slide.tolist() == ["Präparat_片", "a_b_c_", "d"]
    listed = list_slides(str(csv("t.csv", "slide,label", "in/d.ndpi,1", "elsewhere/e.svs,")))
    assert listed.label.tolist() == ["1", ""]
    assert listed.file.iloc[0] == f"{where}/d.ndpi"


def test_letters_that_macos_writes_in_two_parts_stay_letters(folder):
    assert list_slides(folder(300, "Pra\u0308parat.png")).slide.tolist() == ["Pr\u00e4parat"]


@pytest.mark.input("Slides", "Two slides of an input with the same name", "refused: the name")
def test_names_have_to_differ(csv):
    with pytest.raises(InputError, match="two slides are called 's'; rename"):
        list_slides(str(csv("t.csv", "path", "a/s.svs", "b/s.svs")))


@pytest.mark.input(
    "Slides", "A label of a slide other than 0, 1 or nothing", "refused: the line and the label"
)
def test_other_labels_are_refused(csv):
    with pytest.raises(InputError, match=r"line 3: the label is 'x'"):
        list_slides(str(csv("t.csv", "path,label", "a.svs,1", "b.svs,x")))
