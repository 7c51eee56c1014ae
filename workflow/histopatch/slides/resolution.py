"""At which scale a slide has to be read, so that its tiles show as much tissue as the model's patches."""

import logging

from histopatch.errors import InputError
from histopatch.slides.slide import Slide

COARSE = 1.25  # times what the model was trained on: from here on detail that it may need is missing


def scale_for(slide: Slide, trained: float | None, given: float | None, trained_given: float | None) -> float:
    """Level-0 pixels of the slide per pixel of a patch.

    trained: microns per pixel of the patches that the model was trained on, and given, trained_given: of this
    slide and of those patches as the user says, which count more than what the files say. Raises InputError
    where one is unknown.
    """
    wanted, found = trained_given or trained, given or slide.microns_per_pixel
    if wanted is None:
        raise InputError(
            "the model does not say at which resolution it was trained; give MODEL_MPP=, the microns per "
            "pixel of its patches, or set dataset.microns_per_pixel and export it again"
        )
    if found is None:
        raise InputError(
            f"{slide.path}: the file does not say its resolution; give MPP=, its microns per pixel"
        )
    if found > COARSE * wanted:
        logging.warning(
            "%s has %.3g µm per pixel, the model was trained on %.3g: its tiles are enlarged and lack detail",
            slide.path, found, wanted,
        )  # fmt: skip
    return wanted / found
