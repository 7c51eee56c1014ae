import numpy as np
import pytest
import tifffile
from PIL import Image

from histopatch.errors import InputError
from histopatch.slides import plain_slide
from histopatch.slides.slide import open_slide


def test_a_real_slide(aperio):
    with open_slide(aperio) as slide:
        assert slide.size == (2220, 2967)
        assert slide.microns_per_pixel == pytest.approx(0.499)
        region = slide.read(0, 1000, 1500, 300, 200)
    assert region.shape == (200, 300, 3) and region.dtype == np.uint8
    assert region.std() > 20  # tissue


def test_the_levels_of_a_pyramid(pyramid, mosaic):
    with open_slide(pyramid(mosaic, 0.25, levels=3)) as slide:
        assert slide.microns_per_pixel == pytest.approx(0.25)
        assert slide.downsamples == (1, 2, 4)
        assert np.array_equal(slide.read(0, 100, 50, 200, 150), mosaic[50:200, 100:300])
        coarse = mosaic.reshape(288, 2, 384, 2, 3).mean((1, 3))
        assert np.abs(slide.read(1, 100, 50, 20, 10) - coarse[25:35, 50:70]).max() <= 0.5


def test_beyond_the_edge_a_slide_is_white(pyramid, mosaic):
    with open_slide(pyramid(mosaic)) as slide:
        region = slide.read(0, slide.size[0] - 10, 0, 20, 5)
    assert np.array_equal(region[:, :10], mosaic[:5, -10:])
    assert (region[:, 10:] == 255).all()


@pytest.mark.parametrize("name", ["image.png", "image.bmp", "strips.tif"])
def test_an_image_without_tiles_is_read_whole(tmp_path, mosaic, name):
    if name == "strips.tif":
        resolution = {"resolution": (20_000, 20_000), "resolutionunit": "CENTIMETER"}
        tifffile.imwrite(tmp_path / name, mosaic, photometric="rgb", **resolution)
    else:
        Image.fromarray(mosaic).save(tmp_path / name)
    with open_slide(tmp_path / name) as slide:
        assert (slide.size, slide.downsamples) == ((768, 576), (1.0,))
        assert slide.microns_per_pixel == (pytest.approx(0.5) if name == "strips.tif" else None)
        assert np.array_equal(slide.read(0, 7, 9, 30, 20), mosaic[9:29, 7:37])


@pytest.mark.parametrize("dots", [72, 300])
def test_the_resolution_of_a_printer_is_none(tmp_path, mosaic, dots):
    Image.fromarray(mosaic).save(tmp_path / "a.png", dpi=(dots, dots))
    with open_slide(tmp_path / "a.png") as slide:
        assert slide.microns_per_pixel is None


def test_what_is_transparent_is_white(tmp_path):
    Image.new("RGBA", (200, 100), (9, 9, 9, 0)).save(tmp_path / "a.png")
    with open_slide(tmp_path / "a.png") as slide:
        assert (slide.read(0, 0, 0, 200, 100) == 255).all()


@pytest.mark.input("Slides", "A file that is missing or no image", "refused: its path, and what it is not")
@pytest.mark.parametrize(("content", "words"), [(None, "no such file"), (b"text", "neither a slide")])
def test_a_file_that_is_no_slide_is_refused(tmp_path, content, words):
    path = tmp_path / "a.svs"
    if content:
        path.write_bytes(content)
    with pytest.raises(InputError, match=words) as refused:
        open_slide(path)
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.input(
    "Slides",
    "A large PNG, JPEG or TIFF without tiles",
    "refused: it would be in memory whole; how to tile it",
)
def test_a_large_image_without_tiles_is_refused(tmp_path, mosaic, monkeypatch):
    Image.fromarray(mosaic).save(tmp_path / "a.png")
    monkeypatch.setattr(plain_slide, "MOST_PIXELS", 100_000)
    with pytest.raises(InputError, match=r"768×576 px in a file without regions.*tiled TIFF"):
        open_slide(tmp_path / "a.png")


@pytest.mark.input("Slides", "16 bits a channel in an image without tiles", "refused: convert it")
def test_another_depth_is_refused(tmp_path):
    Image.fromarray(np.zeros((200, 200), np.uint16)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="not 8-bit"):
        open_slide(tmp_path / "a.png")


@pytest.mark.input("Slides", "A slide that is cut off", "refused: where it is damaged")
def test_a_damaged_slide_is_named(pyramid, mosaic):
    path = pyramid(mosaic)
    with open(path, "r+b") as file:
        file.seek(3000)
        file.write(bytes(400_000))
    with pytest.raises(InputError, match=r"slide\.tif: .*damaged") as refused, open_slide(path) as slide:
        slide.read(0, 0, 0, *slide.size)
    assert "\n" not in str(refused.value)
