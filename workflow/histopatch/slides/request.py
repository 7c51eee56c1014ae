"""How the slides of a call are tiled, checked before any job."""

import contextlib
from collections.abc import Sequence

from histopatch.errors import InputError
from histopatch.slides.resolution import slide_resolution, trained_resolution
from histopatch.slides.slide import PLAUSIBLE, open_slide
from histopatch.slides.tiling import Tiling


def read_tiling(config: dict, point: str, description: dict) -> Tiling:
    """The tiling of `snakemake --config stride=… tissue=… top=… mpp=… model_mpp=…`, all of them optional.

    point: the operating point; description: model.json. Raises InputError, which names what is wrong as
    `make predict` has it.
    """
    size = description["patch_size"]
    return Tiling(
        stride=_whole(config, "stride", 1, size, size),
        tissue=_number(config, "tissue", 0, 1, Tiling.tissue),
        top=_whole(config, "top", 1, 1_000_000, Tiling.top),
        point=point,
        microns_per_pixel=_number(config, "mpp", *PLAUSIBLE),
        trained_microns_per_pixel=trained_resolution(description, _number(config, "model_mpp", *PLAUSIBLE)),
    )


def check_resolutions(files: Sequence[str], tiling: Tiling) -> None:
    """Raise InputError for the first slide whose resolution neither its file nor the call says.

    A file that is missing or cannot be read is for its own job to report.
    """
    for file in files if tiling.microns_per_pixel is None else ():
        with contextlib.ExitStack() as opened:
            try:
                slide = opened.enter_context(open_slide(file))
            except InputError:
                continue
            slide_resolution(slide, None)


def _number(config: dict, name: str, low: float, high: float, default: float | None = None) -> float | None:
    given = config.get(name)
    if given in (None, ""):
        return default
    value = _value(given)
    if not low <= value <= high:
        raise InputError(f"{name.upper()}: {given!r} is no number from {low:g} to {high:g}")
    return value


def _whole(config: dict, name: str, low: int, high: int, default: int) -> int:
    given = config.get(name)
    if given in (None, ""):
        return default
    value = _value(given)
    if not (low <= value <= high and value.is_integer()):
        raise InputError(f"{name.upper()}: {given!r} is no whole number from {low} to {high}")
    return int(value)


def _value(given) -> float:
    try:
        return float(given)
    except (TypeError, ValueError):
        return float("nan")
