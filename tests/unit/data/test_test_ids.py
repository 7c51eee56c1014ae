import pandas as pd
import pytest

from histopatch.data.formats.kaggle import Kaggle
from histopatch.data.test_ids import check_test_ids, write_test_ids
from histopatch.errors import InputError


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
        write_test_ids(given, str(index), str(rejected), unusable, str(out))
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


@pytest.mark.parametrize(
    ("ids", "hint"),
    [
        (["7", "a"], "1 ids lost their leading zeros, such as '7' for '007': import the column as text"),
        (["1.5E+39", "a"], "1 ids were turned into numbers by a spreadsheet"),
    ],
)
def test_what_a_spreadsheet_did_to_the_ids_is_said(test_ids, ids, hint):
    sample = "".join(f"{id_},0\n" for id_ in ids)
    with pytest.raises(InputError, match=r"sample\.csv: 1 of 2 test ids have no usable image") as caught:
        test_ids(f"id,label\n{sample}")
    assert hint in str(caught.value)


@pytest.mark.input(
    "Sample submission", "An id that a spreadsheet would run, such as `=1+1`", "refused before any training"
)
@pytest.mark.parametrize("case", [{"sample": "id,label\n=1+1,0\na,0\n"}, {"images": ["=1+1", "a"]}])
def test_an_id_that_a_spreadsheet_would_run_is_refused(test_ids, case):
    with pytest.raises(InputError, match=r"\.csv: the id '=1\+1' is a name that a spreadsheet would run"):
        test_ids(**case, unusable=0.5)


def test_an_image_that_the_sample_does_not_name_may_be_unusable(test_ids):
    assert test_ids("id,label\na,0\n", images=["a"], aside=["c,c.tif,unreadable: empty"]) == same("a")


@pytest.fixture
def check(tmp_path):
    """Check a data set in Kaggle's layout by its names: files below `test`, and a sample submission."""

    def run(files=("a.tif", "007.tif"), sample=None, unusable="stop") -> None:
        (tmp_path / "train").mkdir()
        if files is not None:
            (tmp_path / "test").mkdir()
        for file in files or ():
            (tmp_path / "test" / file).write_bytes(b"")
        if sample is not None:
            (tmp_path / "sample_submission.csv").write_text(sample)
        check_test_ids(Kaggle(str(tmp_path)), unusable)

    return run


@pytest.mark.parametrize(
    "case",
    [
        {},
        {"sample": "Id;Label\na;0\n007;0\n"},
        {"sample": "id,label\na.tif,0,\n"},
        {"files": None},
        {"files": ["a.tif", "a.png", "b.tif"], "sample": "id\nb\n"},
        {"files": ["a.tif", "a.png", "b.tif"], "unusable": 0.5},
        {"sample": "id\na\nc\n", "unusable": 0.5},
    ],
)
def test_names_that_fit_are_no_error(check, case):
    check(**case)


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ({"sample": "id,label\n"}, r"sample_submission\.csv: there are no ids below the first line"),
        ({"sample": ""}, r"sample_submission\.csv: the file is empty"),
        (
            {"sample": "id\na\nc\n"},
            r"sample_submission\.csv: 1 of 2 test ids have no usable image.* 'c' \(no",
        ),
        ({"sample": "id\nx\n", "unusable": 0.5}, "1 of 1 test ids have no usable image"),
        ({"files": ["a.tif", "a.png", "b.tif"]}, r"/test: 1 of 2 .* \(a\.tif: same id as a\.png\)"),
        ({"files": ["@a.tif", "b.tif"]}, r"/test: the id '@a' is a name that a spreadsheet would run"),
    ],
)
def test_what_names_alone_show_is_refused_before_any_job(check, case, message):
    with pytest.raises(InputError, match=message):
        check(**case)
