"""One slide from its file to what people look at: tiles, scores, a heat map, and objects for QuPath."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from histopatch.errors import InputError
from histopatch.figures import style
from histopatch.files import write_json, write_table
from histopatch.inference import Model
from histopatch.slides.geojson import write_geojson
from histopatch.slides.heat_map import draw_heat_map
from histopatch.slides.prediction import predict_tiles
from histopatch.slides.resolution import scale_between, slide_resolution, trained_resolution
from histopatch.slides.scores import slide_scores
from histopatch.slides.slide import Slide, open_slide
from histopatch.slides.thumbnail import thumbnail, tissue_mask
from histopatch.slides.tiling import Tiling, grid, shares
from histopatch.slides.view import View

# What is written of a slide.
TILES, HEAT_MAP, OBJECTS, SUMMARY = "tiles.csv", "heat_map.png", "tiles.geojson", "slide.json"
DPI = 150


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
        trained = trained_resolution(model.description, tiling.trained_microns_per_pixel)
        found = slide_resolution(slide, tiling.microns_per_pixel)
        view = View.of(slide, scale_between(path, found, trained))
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
        "microns_per_pixel": found,
        "level": view.level,
        "scale": view.scale,
        "stride": tiling.stride or size,
    }
    _write(folder, model, slide, picture, tiles, summary)
    return summary


def predict_or_explain(model: Model, path: str, folder: str | Path, tiling: Tiling) -> None:
    """As `predict_slide`; of a slide that cannot be used the files are empty and SUMMARY has the `reason`."""
    try:
        predict_slide(model, path, folder, tiling)
    except InputError as error:
        logging.warning("%s", error)
        folder, threshold = Path(folder), _threshold(model, tiling.point)
        none = pd.DataFrame(columns=["x", "y", "width", "probability"])
        write_table(none, folder / TILES)
        write_geojson(none, threshold, {}, (0, 0), folder / OBJECTS)
        with style.figure(folder / HEAT_MAP, DPI) as page:
            style.message(page, str(error))
        summary = {"slide": path, "tiles": 0, "background": 0, "point": tiling.point, "threshold": threshold}
        scores = slide_scores(np.empty(0), tiling.top, threshold)
        write_json(summary | scores | {"reason": str(error)}, folder / SUMMARY)


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
        DPI,
    )
    write_json(summary, folder / SUMMARY)  # last: it says that the others are there


def _title(slide: Slide, summary: dict) -> str:
    name = Path(slide.path).name
    if not summary["tiles"]:
        return f"{name}: no tissue"
    share = 100 * summary["share_above"]
    return f"{name}: {share:.1f} % of {summary['tiles']:,} tiles at or above the threshold"
