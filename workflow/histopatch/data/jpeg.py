"""Whether a JPEG file is whole: decoders fill what is missing or damaged with grey and say nothing."""

import contextlib
import io
import re

import numpy as np
from PIL import Image

MARKER = re.compile(rb"\xff+[^\x00\xff]")  # in coded data, where a byte 255 that is data has a 0 behind it
END, SCAN, RESTARTS = 0xD9, 0xDA, range(0xD0, 0xD8)
MOST_SCANS = 100  # each may take as long as the whole image; encoders write about ten
MOST_SEGMENTS = 100_000
# Bytes at the end of the coded data that the last pixels must need: some encoders pad a little.
NEEDED = 8
PADDING = b"\x55" * 64


def structure_fault(content: bytes) -> str | None:
    """What is wrong with the sequence of markers, or None."""
    found = _coded_segments(content)
    return found if isinstance(found, str) else None


def data_fault(content: bytes, image: Image.Image) -> str | None:
    """What is wrong with the coded data of a file whose structure is sound, or None.

    image: the file, decoded. It is decoded twice more: bytes behind the data must change no pixel, or pixels
    were missing; and without the last bytes the last pixels must be missing, or the data have too many.
    """
    ends = _coded_segments(content)
    starts = [0, *ends]
    padded = PADDING.join(content[a:b] for a, b in zip(starts, [*ends, len(content)], strict=True))
    with Image.open(io.BytesIO(padded), formats=["JPEG"]) as again:
        if not np.array_equal(np.asarray(again), np.asarray(image)):
            return "damaged: its data end before its pixels"
    with Image.open(io.BytesIO(content[: ends[-1] - NEEDED]), formats=["JPEG"]) as cut:
        with contextlib.suppress(OSError):  # as it should
            cut.load()
        # A progressive image has no pixels before its end; of the others the last ones are still zero.
        box = cut.im.getbbox()
        if box is not None and box[3] == image.height:
            return "damaged: its pixels end before its data"
    return None


def _coded_segments(content: bytes) -> list[int] | str:
    """Where each segment of coded data ends, before its marker; or what is wrong."""
    ends: list[int] = []
    place, scans = 2, 0
    while len(ends) <= MOST_SEGMENTS and scans <= MOST_SCANS:
        while content[place : place + 2] == b"\xff\xff":
            place += 1
        if place + 2 > len(content):
            return "cut off: it has no end marker"
        code = content[place + 1]
        if content[place] != 0xFF or code in RESTARTS or code in (0, 0xD8):
            return "damaged: there are bytes between its segments"
        if code == END:
            return ends or "damaged: it has no pixels"
        place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
        if code != SCAN:
            continue
        scans += 1
        restarts = 0
        while marker := MARKER.search(content, place):
            ends.append(marker.start())
            code = content[marker.end() - 1]
            if code not in RESTARTS or len(ends) > MOST_SEGMENTS:
                place = marker.start()
                break
            if code != RESTARTS[restarts % len(RESTARTS)]:
                return "damaged: its restart markers are out of order"
            restarts, place = restarts + 1, marker.end()
        else:
            return "cut off: it has no end marker"
    return f"has more than {MOST_SCANS} scans or {MOST_SEGMENTS} segments"
