"""One slide from its file to what people look at: tiles, scores, a heat map, and objects for QuPath."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from histopatch.errors import InputError
from histopatch.files import write_json, write_table
from histopatch.inference import Model
from histopatch.slides.geojson import write_geojson
from histopatch.slides.heat_map import draw_heat_map
from histopatch.slides.prediction import predict_tiles
from histopatch.slides.resolution import scale_for
from histopatch.slides.scores import slide_scores
from histopatch.slides.slide import Slide, open_slide
from histopatch.slides.thumbnail import thumbnail, tissue_mask
from histopatch.slides.tiling import grid, shares
from histopatch.slides.view import View

# What is written of a slide.
TILES, HEAT_MAP, OBJECTS, SUMMARY = "tiles.csv", "heat_map.png", "tiles.geojson", "slide.json"


@dataclass(frozen=True)
class Tiling:
    """How slides are tiled and scored; lengths in pixels of a patch of the model."""

    stride: int | None = None  # from tile to tile; None is the size of a patch, so that tiles do not overlap
    tissue: float = 0.05  # the share of a tile that has to be tissue for it to be predicted
    top: int = 10  # tiles whose mean probability is the score `mean_top_k`
    point: str = "youden"  # the operating point whose threshold calls a tile positive
    microns_per_pixel: float | None = None  # of the slide, where its file does not say
    trained_microns_per_pixel: float | None = None  # of the model's patches, where model.json does not say


def predict_slide(model: Model, path: str, folder: str | Path, tiling: Tiling) -> dict:
    """Write TILES, HEAT_MAP, OBJECTS and SUMMARY of one slide into a folder; returns what SUMMARY has.

    TILES has `x,y,width,probability`: the corner and size of each tile in level-0 pixels of the slide, and
    the probability of label 1, as `Model.predict` gives it. SUMMARY has the number of `tiles`, how many were
    left out as `background`, `threshold`, SCORES of `scores`, and how the slide was read. Memory does not
    grow with the slide, but for a few numbers a tile. Raises InputError, one line, for a slide that cannot be
    read, whose resolution is unknown, or that is smaller than a tile, and for an operating point that the
    model lacks.
    """
    folder, threshold = Path(folder), _threshold(model, tiling.point)
    size = model.description["patch_size"]
    with open_slide(path) as slide:
        scale = scale_for(
            slide,
            model.description.get("microns_per_pixel"),
            tiling.microns_per_pixel,
            tiling.trained_microns_per_pixel,
        )
        view = View.of(slide, scale)
        corners = _corners(view, size, tiling.stride or size)
        picture = thumbnail(slide)
        shown = shares(tissue_mask(picture), corners, size, view.size) >= tiling.tissue
        logging.info(
            "%s: %d×%d px, level %d of %d, %.4g level-0 pixels per pixel; %d of %d tiles show tissue",
            path, *slide.size, view.level, len(slide.downsamples), view.scale, shown.sum(), len(corners),
        )  # fmt: skip
        probabilities = predict_tiles(model, view, corners[shown], size)
    tiles = pd.DataFrame(np.rint(corners[shown] * view.scale).astype(int), columns=["x", "y"])
    tiles = tiles.assign(width=round(size * view.scale), probability=probabilities)
    summary = {
        "slide": path,
        "tiles": len(tiles),
        "background": int((~shown).sum()),
        "point": tiling.point,
        "threshold": threshold,
        "top_k": tiling.top,
        **slide_scores(probabilities, tiling.top, threshold),
        "width": slide.size[0],
        "height": slide.size[1],
        "microns_per_pixel": tiling.microns_per_pixel or slide.microns_per_pixel,
        "level": view.level,
        "scale": view.scale,
        "stride": tiling.stride or size,
    }
    _write(folder, model, slide, picture, tiles, summary)
    return summary


def _threshold(model: Model, point: str) -> float:
    if point not in model.thresholds:
        known = ", ".join(model.thresholds)
        raise InputError(f"POINT: {point!r} is no operating point of the model, which has {known}")
    return model.thresholds[point]


def _corners(view: View, size: int, stride: int) -> np.ndarray:
    try:
        return grid(view.size, size, stride)
    except InputError as error:
        raise InputError(f"{view.slide.path}: {error}") from None


def _write(
    folder: Path, model: Model, slide: Slide, picture: np.ndarray, tiles: pd.DataFrame, summary: dict
) -> None:
    names = {int(label): name for label, name in model.description["labels"].items()}
    threshold, scale = summary["threshold"], slide.size[0] / picture.shape[1]
    write_table(tiles, folder / TILES)
    write_geojson(tiles, threshold, names, slide.origin, folder / OBJECTS)
    draw_heat_map(
        picture,
        tiles,
        scale,
        _title(slide, summary),
        names[1],
        threshold,
        summary["microns_per_pixel"],
        str(folder / HEAT_MAP),
    )
    write_json(summary, folder / SUMMARY)  # last: it says that the others are there


def _title(slide: Slide, summary: dict) -> str:
    name = Path(slide.path).name
    if not summary["tiles"]:
        return f"{name}: no tissue"
    share = 100 * summary["share_above"]
    return f"{name}: {share:.1f} % of {summary['tiles']:,} tiles at or above the threshold"
