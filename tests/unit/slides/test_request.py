import pytest

from histopatch.errors import InputError
from histopatch.slides.request import check_resolutions, read_tiling
from histopatch.slides.tiling import Tiling

MODEL = {"patch_size": 96, "microns_per_pixel": 0.5}


def test_what_is_left_out_has_defaults():
    found = read_tiling({"mpp": "", "stride": None}, "youden", MODEL)
    assert found == Tiling(stride=96, point="youden", trained_microns_per_pixel=0.5)


def test_what_is_given_counts():
    given = {"mpp": "0.25", "model_mpp": 1, "stride": "48", "tissue": "0", "top": 5}
    assert read_tiling(given, "youden", MODEL) == Tiling(48, 0.0, 5, "youden", 0.25, 1.0)


@pytest.mark.input(
    "Slides",
    "`MPP`, `MODEL_MPP`, `STRIDE`, `TISSUE` or `TOP` out of range, or no whole number of pixels or tiles",
    "refused: the range, before any job",
)
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mpp": "0,25"}, "MPP: '0,25' is no number from 0.02 to 20"),
        ({"model_mpp": 353}, "MODEL_MPP: 353"),
        ({"stride": 0}, "STRIDE: 0 is no whole number from 1 to 96"),
        ({"stride": 1.9}, "STRIDE: 1.9 is no whole number from 1 to 96"),
        ({"stride": 97}, "STRIDE: 97"),
        ({"tissue": 1.5}, "TISSUE: 1.5"),
        ({"top": "nan"}, "TOP: 'nan'"),
        ({"top": "2.5"}, "TOP: '2.5' is no whole number from 1 to 1000000"),
    ],
)
def test_numbers_out_of_range_are_refused(given, words):
    with pytest.raises(InputError) as refused:
        read_tiling(given, "youden", MODEL)
    assert words in str(refused.value)


def test_unknown_resolutions_are_asked_for(pyramid, mosaic, tmp_path):
    with pytest.raises(InputError, match="MODEL_MPP is missing"):
        read_tiling({}, "youden", {"patch_size": 96})
    known, unknown = pyramid(mosaic, 0.5, name="a.tif"), pyramid(mosaic, name="b.tif")
    tiling = read_tiling({}, "youden", MODEL)
    check_resolutions([known, str(tmp_path / "missing.svs")], tiling)
    with pytest.raises(InputError, match=r"b\.tif: .* give MPP"):
        check_resolutions([known, unknown], tiling)
    check_resolutions([unknown], read_tiling({"mpp": 0.5}, "youden", MODEL))
