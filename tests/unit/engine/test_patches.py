import numpy as np
import pytest
import torch

from histopatch.engine import patches
from histopatch.engine.patches import Patches

CPU = torch.device("cpu")


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (11, 8, 8, 3), np.uint8)


@pytest.fixture(params=[True, False], ids=["resident", "streamed"])
def reader(request, pixels, tmp_path, monkeypatch):
    monkeypatch.setattr(patches, "COPY_ROWS", 4)  # so that a resident pack is copied in several pieces
    np.save(tmp_path / "pack.npy", pixels)
    return Patches(str(tmp_path / "pack.npy"), CPU, resident=request.param)


@pytest.mark.parametrize("batch_size", [1, 3, 6, 100])
def test_batches_are_the_rows_in_their_order(reader, pixels, batch_size):
    rows = torch.tensor([7, 0, 10, 3, 3, 9])
    batches = list(reader.batches(rows, batch_size))
    assert [len(batch) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    assert 1 <= len(batches[-1]) <= batch_size
    assert all(batch.dtype == torch.uint8 for batch in batches)
    assert np.array_equal(torch.cat(batches).numpy(), pixels[rows.numpy()])


def test_a_batch_is_not_changed_by_the_ones_after_it(reader, pixels):
    batches = reader.batches(torch.arange(11), 4)
    first = next(batches)
    next(batches)
    assert np.array_equal(first.numpy(), pixels[:4])


def test_reading_can_stop_early_and_start_again(reader, pixels):
    rows = torch.arange(11)
    next(reader.batches(rows, 2))
    assert np.array_equal(torch.cat(list(reader.batches(rows, 2))).numpy(), pixels)


def test_the_size_is_that_of_the_patches(reader):
    assert reader.size == 8


def test_a_row_that_is_not_there_is_an_error(reader):
    with pytest.raises(IndexError):
        list(reader.batches(torch.tensor([11]), 2))


def test_a_cpu_reads_from_the_file_by_itself(pixels, tmp_path):
    """A copy of the pack in a process's memory is what the memory map is there to avoid."""
    np.save(tmp_path / "pack.npy", pixels)
    reader = Patches(str(tmp_path / "pack.npy"), CPU)
    np.save(tmp_path / "pack.npy", 255 - pixels)
    assert np.array_equal(next(reader.batches(torch.arange(11), 11)).numpy(), 255 - pixels)
