"""At which resolution a slide has to be read, so that its tiles show as much tissue as the model's patches.

What the user says counts more than what a file says.
"""

import logging

from histopatch.errors import InputError
from histopatch.export.description import DESCRIPTION
from histopatch.slides.slide import Slide

COARSE = 1.25  # times what the model was trained on: from here on detail that it may need is missing


def trained_resolution(description: dict, given: float | None) -> float:
    """Microns per pixel of the patches that a model was trained on, from model.json or as the user says.

    Raises InputError where neither says it.
    """
    if known := given or description.get("microns_per_pixel"):
        return known
    raise InputError(
        f"MODEL_MPP is missing: {DESCRIPTION} does not say at which resolution the model was trained; give "
        "the microns per pixel of its patches, or set dataset.microns_per_pixel and export it again"
    )


def slide_resolution(slide: Slide, given: float | None) -> float:
    """Microns per pixel of a slide, likewise."""
    if known := given or slide.microns_per_pixel:
        return known
    raise InputError(f"{slide.path}: the file does not say its resolution; give MPP, its microns per pixel")


def scale_between(path: str, found: float, trained: float) -> float:
    """Level-0 pixels of a slide per pixel of a patch, with a warning where the slide is the coarser one."""
    if found > COARSE * trained:
        logging.warning(
            "%s has %.3g µm per pixel, the model was trained on %.3g: its tiles are enlarged and lack detail",
            path, found, trained,
        )  # fmt: skip
    return trained / found
