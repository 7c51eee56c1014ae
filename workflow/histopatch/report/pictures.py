"""Pictures as data URIs, so that the report is one file."""

import base64
import io
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
from PIL import Image

PHOTO_BYTES = 400_000  # a PNG that is larger shows patches, which compress badly without loss
WEBP_PIXELS = 16_383  # height and width at most
QUALITY = 90  # of WebP; no difference to see at twice the size
HEAT = "viridis"  # as in the figure of heat maps
STRONGEST = 0.75  # opacity of a heat map where it is brightest


class Picture(NamedTuple):
    """A picture that stands in the page itself; pixels."""

    uri: str
    width: int
    height: int


def from_file(path: str | Path) -> Picture:
    """The picture of a figure (PNG), as it is unless it is a photograph that WebP can hold."""
    content = Path(path).read_bytes()
    with Image.open(io.BytesIO(content)) as image:
        if len(content) > PHOTO_BYTES and max(image.size) <= WEBP_PIXELS:
            return _webp(image.convert("RGB"))
        return Picture(_uri(content, "png"), *image.size)


def from_patch(pixels: np.ndarray) -> Picture:
    """The picture of a patch, uint8 H×W×3, pixel for pixel."""
    return _webp(Image.fromarray(pixels))


def with_evidence(pixels: np.ndarray, evidence: np.ndarray) -> Picture:
    """A patch, uint8 H×W×3, under a heat map, float h×w, 0 or more: clear where there is no evidence."""
    height, width = pixels.shape[:2]
    heat = evidence / evidence.max() if evidence.any() else evidence
    heat = Image.fromarray(heat.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    heat = np.asarray(heat).clip(0, 1)
    colours = 255 * matplotlib.colormaps[HEAT](heat)[..., :3]
    opacity = STRONGEST * heat[..., None]
    return from_patch(np.rint((1 - opacity) * pixels + opacity * colours).astype(np.uint8))


def _webp(image: Image.Image) -> Picture:
    content = io.BytesIO()
    image.save(content, "WEBP", quality=QUALITY)
    return Picture(_uri(content.getvalue(), "webp"), *image.size)


def _uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
