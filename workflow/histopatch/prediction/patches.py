"""The patches of one shard through a model: probabilities, how unlike its training they look, and reasons."""

import functools
import itertools
import logging

import numpy as np
import pandas as pd
import torch

from histopatch import inference
from histopatch.console import progress
from histopatch.data.appearance import measure
from histopatch.data.arrays import PatchArrays
from histopatch.data.chunks import chunk_size, map_chunks
from histopatch.data.images import ImageFiles, Images
from histopatch.data.pool import worker_pool
from histopatch.engine.device import hold_device
from histopatch.export.description import read_description
from histopatch.files import read_table, write_table
from histopatch.prediction.inputs import ARRAY, NO_ROW
from histopatch.prediction.shards import KEY
from histopatch.statistics.mahalanobis import Bulk, distances

CHUNK = 256  # patches at a time, at most


def predict_shard(model: str, patches: str, root: str, predictions: str, workers: int) -> None:
    """Write what the model makes of each patch: KEY, `probability`, `appearance_distance` and `reason`.

    model: the folder of an exported one; patches: CSV with KEY, of files below `root`; workers: the cores to
    use. A patch that cannot be used has a reason and no numbers. `appearance_distance` is that of
    `statistics.mahalanobis` from the training part of the model, and missing without tissue.
    """
    listed = read_table(patches)
    description = read_description(model)
    pixels, features, reasons = _read(_images(listed, root), description["patch_size"], workers)
    usable = np.array([reason is None for reason in reasons])
    table = listed[KEY].assign(probability=np.nan, appearance_distance=np.nan, reason=reasons)
    torch.set_num_threads(workers)
    with hold_device("auto") as device:
        table.loc[usable, "probability"] = _predict(inference.load(model, device), pixels[usable])
    known = description["appearance"]
    bulk = Bulk(np.array(known["mean"]), np.array(known["precision"]))
    table.loc[usable, "appearance_distance"] = distances(features[usable], bulk)
    write_table(table, predictions)
    logging.info("predicted %d patches, %d of them could not be used", len(table), (~usable).sum())


def _images(listed: pd.DataFrame, root: str) -> Images:
    ids, files = listed.id.to_list(), listed.file.to_list()
    if (listed.row != NO_ROW).all():
        return PatchArrays(root, ids, files, listed.row.to_numpy(), ARRAY)
    return ImageFiles(root, ids, files, named=True, seen=False)


def _predict(model: inference.Model, pixels: np.ndarray) -> np.ndarray:
    with progress(total=len(pixels), unit="img", desc="predicting") as bar:
        found = [np.empty(0)]
        for start in range(0, len(pixels), CHUNK):
            found.append(model.predict(pixels[start : start + CHUNK]))
            bar.update(len(found[-1]))
    return np.concatenate(found)


def _read(images: Images, size: int, workers: int) -> tuple[np.ndarray, np.ndarray, list[str | None]]:
    """The pixels (uint8 N×size×size×3), FEATURES (N×4) and reasons of images."""
    step = chunk_size(CHUNK, 3 * size**2)
    with worker_pool(workers) as pool:
        chunks = [*map_chunks(pool, functools.partial(_decode, size=size), images, step, "reading")]
    pixels, features, reasons = zip(*chunks, strict=True)
    return np.concatenate(pixels), np.concatenate(features), [*itertools.chain(*reasons)]


def _decode(images: Images, size: int) -> tuple[np.ndarray, np.ndarray, list[str | None]]:
    pixels = np.zeros((len(images), size, size, 3), np.uint8)
    records = images.decode(pixels)
    return pixels, measure(pixels), [record.get("reason") for record in records]
