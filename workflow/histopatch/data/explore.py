"""Exploration: what the data set contains, as tables; figures/exploration.py plots them."""

import numpy as np
import pandas as pd

from histopatch.data.pack_index import with_rows
from histopatch.data.pixels import Pixels
from histopatch.files import compact, read_blocks, read_table, write_table

CHANNELS = ("red", "green", "blue")
CHUNK = 1024  # patches read at a time
CHECKED = ["mode", "width", "height", "min", "max", "mean", "std"]  # columns of the index


def class_balance(labels: str, table: str) -> None:
    """Count the clean labels (CSV `id,label`) into a table `label,patches,share`."""
    counts = read_table(labels, ["label"]).label.value_counts().sort_index()
    balance = counts.rename_axis("label").rename("patches").reset_index()
    write_table(balance.assign(share=(balance.patches / balance.patches.sum()).round(4)), table)


def check_images(parts: dict[str, tuple[str, str]], near_blank_std: float, table: str) -> None:
    """Check all images and write one row per part and finding: `part,check,value,images`.

    parts: the pack's index and its table of rejected images, by name of the part (`train`, `test`).
    The checks: shape, mode, reasons for images set aside, near-blank patches, the range of pixel values
    (0-255), and the range of the patches' means.
    """
    rows = []
    for part, (index, rejected) in parts.items():
        images, aside = compact(read_blocks(index, CHECKED)), compact(read_blocks(rejected, ["reason"]))
        for (width, height), count in images[["width", "height"]].value_counts().items():
            rows.append((part, "shape", f"{width}×{height}", count))
        for check, values in (("mode", images["mode"]), ("set aside", aside.reason)):
            for value, count in values.value_counts().items():
                rows.append((part, check, value, count))
        near_blank = int((images["std"] < near_blank_std).sum())
        rows.append((part, "near blank", f"standard deviation below {near_blank_std:g}", near_blank))
        for check, value in {
            "lowest pixel value": images["min"].min(),
            "highest pixel value": images["max"].max(),
            "mean pixel value": f"{images['mean'].mean():.1f}",
            "darkest patch, mean": f"{images['mean'].min():.1f}",
            "brightest patch, mean": f"{images['mean'].max():.1f}",
        }.items():
            rows.append((part, check, value, len(images)))
    write_table(pd.DataFrame(rows, columns=["part", "check", "value", "images"]), table)


def rgb_histograms(pack: str, index: str, labels: str, table: str) -> None:
    """Write the distribution of pixel values by class and channel: `label,channel,value,share`.

    pack: uint8 array N×H×W×3, read in chunks; a share is of the pixels of the class.
    """
    pixels = Pixels(pack)
    tables = []
    for label, group in with_rows(labels, index, ["label"]).groupby("label"):
        rows = np.sort(group.row.to_numpy())
        counts = np.zeros((len(CHANNELS), 256), np.int64)
        for start in range(0, len(rows), CHUNK):
            chunk = pixels[rows[start : start + CHUNK]]  # n×H×W×3
            for channel in range(len(CHANNELS)):
                counts[channel] += np.bincount(chunk[..., channel].ravel(), minlength=256)
        for channel, count in zip(CHANNELS, counts, strict=True):
            share = count / count.sum()
            values = pd.DataFrame({"value": range(256), "share": share.round(8)})
            tables.append(values.assign(label=label, channel=channel))
    write_table(pd.concat(tables)[["label", "channel", "value", "share"]], table)
