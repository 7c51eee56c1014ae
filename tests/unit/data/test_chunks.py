import pytest

from histopatch.data.chunks import CHUNK_BYTES, chunk_size


@pytest.mark.input(
    "Machine", "Large patches, up to 1,024 px", "a process holds no more pixels than of small ones"
)
@pytest.mark.parametrize("size", [16, 96, 224, 512, 1024])
def test_a_chunk_has_no_more_bytes_at_any_size(size):
    count = chunk_size(256, 3 * size**2)
    assert 1 <= count <= 256
    assert count * 3 * size**2 <= CHUNK_BYTES
    assert (count + 1) * 3 * size**2 > CHUNK_BYTES or count == 256


def test_an_image_that_is_larger_than_a_chunk_is_one():
    assert chunk_size(256, 10 * CHUNK_BYTES) == 1
