"""The doors through which files of other people come in: valid files for each, and what opens them."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from PIL import Image

from histopatch.errors import InputError

SIZE = 32  # px, of the images below


@dataclass(frozen=True)
class Door:
    """Where a file comes in."""

    name: str
    file: str  # its name in an otherwise empty folder
    valid: Callable[[], list[bytes]]
    open: Callable[[Path], bool]  # whether the file could be used; raises InputError where it is refused


def check(door: Door, folder: Path, content: bytes) -> bool:
    """Open a file with some content in a folder: whether it was read.

    Raises AssertionError where it is refused in more than one line, and whatever else the door raises.
    """
    path = folder / door.file
    path.write_bytes(content)
    try:
        return door.open(path)
    except InputError as error:
        message = str(error)
        assert message and message.isprintable(), f"not one line that a terminal shows: {message!r}"
        assert len(message) < 2000, f"too long for one line: {message[:200]!r}"
        return False


# --- tables -----------------------------------------------------------------------------------------


def _label_files() -> list[bytes]:
    ids = [f"{number:08x}" for number in range(20)]
    rows = pd.DataFrame({"id": ids, "label": [number % 2 for number in range(20)]})
    noted = rows.assign(note='said "so", twice')
    return [
        rows.to_csv(index=False).encode(),
        rows.to_csv(index=False, sep=";").encode(),
        noted.to_csv(index=False).encode("utf-8-sig"),
        noted.to_csv(index=False, lineterminator="\r\n").encode("utf-16"),
    ]


def _open_labels(path: Path) -> bool:
    from histopatch.data.formats.kaggle import Kaggle

    return any(len(rows) for rows in Kaggle(str(path.parent)).labels())


def _slide_maps() -> list[bytes]:
    rows = pd.DataFrame(
        {"id": [f"{n:08x}" for n in range(20)], "wsi": [f"slide {n // 4}" for n in range(20)]}
    )
    return [
        rows.to_csv(index=False).encode(),
        rows.rename(columns={"wsi": "slide"}).assign(patient="é").to_csv(index=False, sep="\t").encode(),
    ]


def _open_slide_map(path: Path) -> bool:
    from histopatch.data.slides import read_slide_map

    return any(len(rows) for rows in read_slide_map(str(path), {}))


def _open_sample(path: Path) -> bool:
    from histopatch.data.test_ids import read_sample

    return len(read_sample(str(path))) > 0


def _parquet_tables() -> list[bytes]:
    rows = pd.DataFrame({"path": [f"{n}.png" for n in range(20)], "label": [n % 2 for n in range(20)]})
    return [rows.to_parquet(), rows.astype({"label": "category"}).to_parquet(compression=None)]


def _open_parquet(path: Path) -> bool:
    from histopatch.data.tables import Column, read_columns

    columns = {name: Column(f"dataset.columns.{name}", [name]) for name in ("path", "label")}
    return len(read_columns(str(path), columns)) > 0


# --- images -----------------------------------------------------------------------------------------


def _images() -> list[bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    colour, grey = Image.fromarray(pixels), Image.fromarray(pixels[..., 0])
    kinds = [
        (colour, "TIFF", {}),
        (colour, "TIFF", {"compression": "tiff_lzw"}),
        (colour, "TIFF", {"compression": "tiff_adobe_deflate"}),
        (colour, "TIFF", {"compression": "jpeg"}),
        (colour, "PNG", {}),
        (colour.convert("RGBA"), "PNG", {}),
        (colour.convert("P"), "PNG", {}),
        (grey, "PNG", {}),
        (colour, "JPEG", {}),
        (colour, "JPEG", {"progressive": True, "quality": 40}),
    ]
    return [_encode(image, kind, options) for image, kind, options in kinds]


def _encode(image: Image.Image, kind: str, options: dict) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _open_image(path: Path) -> bool:
    from histopatch.data.decode import decode, read_size

    target = np.zeros((SIZE, SIZE, 3), np.uint8)
    read_size(path)
    record = decode(path, target)
    if "reason" in record:
        assert record["reason"].isprintable(), f"not one line: {record['reason']!r}"
        assert not target.any(), "an image that is set aside left pixels"
    return "reason" not in record


# --- HDF5 -------------------------------------------------------------------------------------------


def _array_files() -> list[bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), np.uint8)
    return [_hdf5("x", pixels, chunks=(2, SIZE, SIZE, 3), compression="gzip"), _hdf5("x", pixels)]


def _hdf5(name: str, values: np.ndarray, **options) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_dataset(name, data=values, **options)
    return buffer.getvalue()


def _open_arrays(path: Path) -> bool:
    from histopatch.data.arrays import PatchArrays

    images = PatchArrays(str(path.parent), [str(n) for n in range(4)], [path.name] * 4, np.arange(4), "x")
    records = images.decode(np.zeros((4, SIZE, SIZE, 3), np.uint8))
    return all("reason" not in record for record in records)


# --- configuration and weights ----------------------------------------------------------------------

CONFIG = """
experiment: mine
experiments:
  mine:
    dataset: {format: kaggle, root: data/mine}
    splits: {main: {folds: 2, group_by: none}}
    defaults: &shared {backbone: efficientnet_lite0, image_size: 96, epochs: 2, augmentation: {flips: true}}
    studies:
      architecture:
        runs: {lite0: {}, scratch: {backbone: resnet18, weights: none}}
      rate:
        grid: {lr: [1.0e-4, 3.0e-4], dropout: [0.2, 0.3]}
    final: {study: rate, metric: val_auc, overrides: {epochs: 3}}
runtime: {device: auto, workers: 1}
"""


def _open_config(path: Path) -> bool:

    from histopatch.config import load
    from histopatch.experiment import read_experiment
    from histopatch.yaml_files import read_yaml

    config = load(read_yaml(path))
    for name, section in config["experiments"].items():
        read_experiment(name, section)
    return True


def _weights() -> list[bytes]:
    import safetensors.torch
    import torch

    state = {"conv.weight": torch.ones(4, 3, 3, 3), "conv.bias": torch.zeros(4)}
    files = []
    for content in (state, {"state_dict": state, "epoch": 3}):
        buffer = io.BytesIO()
        torch.save(content, buffer)
        files.append(buffer.getvalue())
    return [*files, safetensors.torch.save(state)]


def _open_weights(path: Path) -> bool:
    from histopatch.backbones.weights import read_weights

    return len(read_weights(str(path))) > 0


DOORS = {
    door.name: door
    for door in (
        Door("label file", "train_labels.csv", _label_files, _open_labels),
        Door("slide map", "slides.csv", _slide_maps, _open_slide_map),
        Door("sample submission", "sample_submission.csv", _label_files, _open_sample),
        Door("Parquet table", "table.parquet", _parquet_tables, _open_parquet),
        Door("image", "image.tif", _images, _open_image),
        Door("HDF5", "x.h5", _array_files, _open_arrays),
        Door("configuration", "config.yaml", lambda: [CONFIG.encode()], _open_config),
        Door("weights, .pth", "weights.pth", lambda: _weights()[:2], _open_weights),
        Door("weights, .safetensors", "weights.safetensors", lambda: _weights()[2:], _open_weights),
    )
}
