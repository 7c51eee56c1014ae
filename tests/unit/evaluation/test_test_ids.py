import pandas as pd
import pytest

from histopatch.errors import InputError
from histopatch.evaluation.test_ids import write_test_ids


@pytest.fixture
def test_ids(tmp_path, csv):
    """The pairs of id and image for a sample submission, or without one, and the pack of the test images."""

    def write(sample=None, images=("b", "007", "a"), aside=(), unusable="stop") -> list[tuple]:
        index = csv("index.csv", "id,row", *(f"{name},{row}" for row, name in enumerate(images)))
        rejected = csv("rejected.csv", "id,file,reason", *aside)
        if sample is not None:
            (tmp_path / "sample.csv").write_text(sample)
        given = str(tmp_path / "sample.csv") if sample is not None else None
        out = tmp_path / "test_ids.csv"
        write_test_ids(given, str(index), str(rejected), unusable, "data/test", str(out))
        return list(pd.read_csv(out, dtype=str, keep_default_na=False).itertuples(index=False, name=None))

    return write


def same(*ids: str) -> list[tuple]:
    return [(id_, id_) for id_ in ids]


@pytest.mark.input("Sample submission", "None", "every test image is submitted, sorted by id")
def test_without_a_sample_every_image_is_named_in_order(test_ids):
    assert test_ids() == same("007", "a", "b")


def test_a_sample_decides_which_ids_and_their_order(test_ids):
    assert test_ids("id,label\nb,0\n007,0\na,0\n") == same("b", "007", "a")


@pytest.mark.input("Sample submission", "Semicolons, a comma after each row, blanks, `Id`", "read")
@pytest.mark.parametrize(
    "sample",
    ["id;label\nb;0\na;0\n", "id,label\nb,0,\na,0,\n", " Id , label\n b , 0\na,0\n", "id,label\nb\na\n"],
)
def test_a_sample_may_be_written_in_other_ways(test_ids, sample):
    assert test_ids(sample, images=["a", "b"]) == same("b", "a")


@pytest.mark.input(
    "Sample submission",
    "Ids with the suffix of an image",
    "fit the images; the submission has them as they are",
)
def test_ids_with_a_suffix_fit_and_stay_as_they_are(test_ids):
    assert test_ids("id,label\nb.tif,0\na.tif,0\n", images=["a", "b"]) == [("b.tif", "b"), ("a.tif", "a")]


@pytest.mark.input(
    "Sample submission", "A header only, no column `id`, or an id twice", "refused before any training"
)
@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ("id,label\n", "there are no ids below the first line"),
        ("image,label\na,0\n", "there is no column 'id'"),
        ("id,label\nb,0\na,0\nb,0\n", "the id 'b' appears twice"),
    ],
)
def test_a_sample_without_ids_is_refused(test_ids, sample, message):
    with pytest.raises(InputError, match=rf"sample\.csv: {message}"):
        test_ids(sample)


UNUSABLE = {
    "no image": {"sample": "id,label\na,0\nc,0\n", "images": ["a"]},
    "unreadable": {"images": ["a"], "aside": ["c,c.tif,unreadable: empty"]},
    "two images": {"images": ["a", "c"], "aside": ["c,c.tif,same id as c.png"]},
}


@pytest.mark.input(
    "Sample submission",
    "Ids without an image",
    "refused before any training, or submitted as `final.unusable_images`",
)
@pytest.mark.input(
    "Sample submission",
    "A test image that is unreadable or of another shape, or two for an id",
    "refused before any training, or submitted as `final.unusable_images`",
)
@pytest.mark.parametrize("case", UNUSABLE.values(), ids=UNUSABLE)
def test_an_id_without_a_usable_image_stops_or_gets_a_stated_value(test_ids, caplog, case):
    with pytest.raises(
        InputError, match=r"1 of 2 test ids have no usable image, the first is 'c' \("
    ) as caught:
        test_ids(**case)
    assert "set final.unusable_images to the probability" in str(caught.value)
    assert test_ids(**case, unusable=0.5) == [("a", "a"), ("c", "")]
    assert "1 of 2 test ids have no usable image and get the probability 0.5, such as 'c'" in caplog.text


@pytest.mark.input(
    "Sample submission", "Ids of which none has an image", "refused, whatever `final.unusable_images` says"
)
def test_where_no_id_fits_the_sample_is_the_wrong_one(test_ids):
    with pytest.raises(InputError, match=r"2 of 2 test ids have no usable image.*correct them$"):
        test_ids("id,label\nx,0\ny,0\n", unusable=0.5)


@pytest.mark.input(
    "Sample submission", "Images that it does not name", "predicted but not submitted; a warning counts them"
)
def test_images_that_the_sample_does_not_name_are_warned_of(test_ids, caplog):
    assert test_ids("id,label\na,0\n", aside=["z,z.tif,unreadable: empty"]) == same("a")
    assert "leaves out 3 test images, such as '007'" in caplog.text
