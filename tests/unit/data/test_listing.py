from histopatch.data.listing import list_images


def test_images_are_listed_by_name_whatever_the_case_of_the_suffix(tmp_path):
    for name in ("b.tif", "B.TIFF", "a.png", "e.JPEG", "notes.txt", "tif"):
        (tmp_path / name).write_bytes(b"")
    assert list_images(tmp_path) == ["B.TIFF", "a.png", "b.tif", "e.JPEG"]
