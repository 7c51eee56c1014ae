"""Whether a JPEG file is whole: decoders fill what is missing or damaged with grey and say nothing."""

import contextlib
import io
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

# In coded data, where a byte 255 that is data has a 0 behind it. Patterns that begin with a byte are fast.
MARKER = re.compile(rb"\xff[^\x00\xff]")
ZEROS = bytes(32)
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
RESTARTS = range(0xD0, 0xD8)
START, END, SCAN, INTERVAL = 0xD8, 0xD9, 0xDA, 0xDD
MOST_SCANS = 100  # each may take as long as the whole image; encoders write about ten
MOST_SEGMENTS = 100_000
# Bytes at the end of the coded data that the last pixels must need: some encoders pad a little.
NEEDED = 8
PADDING = b"\x55" * 64


class Scan(NamedTuple):
    """Coded data of the image: all of it, or a part of a progressive one."""

    start: int
    ends: list[int]  # of its segments, before the markers between and behind them
    coefficients: range  # of each block of 8×8 pixels, the first is the mean
    refines: bool  # whether it has further bits of coefficients


class Frame(NamedTuple):
    """Size in pixels, and the horizontal and vertical sampling factors of the components by their number."""

    width: int
    height: int
    sampling: dict[int, tuple[int, int]]

    def units(self, components: bytes) -> int:
        """How many units of blocks a scan of some components has."""
        most = [max(factors) for factors in zip(*self.sampling.values(), strict=True)]
        own = self.sampling[components[0]] if len(components) == 1 else (1, 1)
        across, down = (
            -(-size * factor // (8 * highest))
            for size, factor, highest in zip(self[:2], own, most, strict=True)
        )
        return across * down


def structure_fault(content: bytes) -> str | None:
    """What is wrong with the sequence of markers, or None."""
    try:
        return None if [*_scans(content)] else "damaged: it has no pixels"
    except ValueError as error:
        return str(error)
    except (KeyError, IndexError):
        return "damaged: its header is wrong"


def data_fault(content: bytes, image: Image.Image) -> str | None:
    """What is wrong with the coded data of a file whose structure is sound, or None.

    image: the file, decoded. It is decoded twice more: bytes behind the data must change no pixel, or pixels
    were missing; and without the last bytes the last pixels must be missing, or the data have too many.
    """
    scans = [*_scans(content)]
    ends = [end for scan in scans for end in scan.ends]
    padded = PADDING.join(content[a:b] for a, b in zip([0, *ends], [*ends, len(content)], strict=True))
    with Image.open(io.BytesIO(padded), formats=["JPEG"]) as again:
        if again.tobytes() != image.tobytes():
            return "damaged: its data end before its pixels"
    shortened = io.BytesIO(content[: ends[-1] - NEEDED])
    with contextlib.suppress(OSError), Image.open(shortened, formats=["JPEG"]) as cut:
        with contextlib.suppress(OSError):  # as it should
            cut.load()
        # A progressive image has no pixels before its end; of the others the last ones are still zero.
        box = cut.im.getbbox()
        if box is not None and box[3] == image.height:
            return "damaged: its pixels end before its data"
    return "damaged: zeros in its data" if any(_has_zeros(content, scan, image) for scan in scans) else None


def _has_zeros(content: bytes, scan: Scan, image: Image.Image) -> bool:
    """Whether there are so many zeros in a scan that they cannot be pixels.

    Zeros mean the same coefficients in block after block: the pixels are all alike, or were never coded so.
    Scans that have only the means of blocks, or further bits, may have any number.
    """
    start = content.find(ZEROS, scan.start, scan.ends[-1])
    if start < 0 or scan.refines or len(scan.coefficients) == 1:
        return False
    pixels, data = np.asarray(image), content[start : scan.ends[-1]]
    zeros = max(len(run) for run in re.findall(rb"\0+", data))
    return np.count_nonzero(pixels[:, 1:] == pixels[:, :-1]) < 64 * zeros


def _scans(content: bytes) -> Iterator[Scan]:
    """The scans of a file; raises ValueError, which says what is wrong with the markers."""
    frame, interval, place, segments = None, 0, 2, 0
    for _ in range(MOST_SEGMENTS):
        while content[place : place + 2] == b"\xff\xff":
            place += 1
        if place + 2 > len(content):
            raise ValueError("cut off: it has no end marker")
        code = content[place + 1]
        if content[place] != 0xFF or code in RESTARTS or code in (0, START):
            raise ValueError("damaged: there are bytes between its segments")
        if code == END:
            return
        length = int.from_bytes(content[place + 2 : place + 4], "big")
        header = content[place + 4 : place + 2 + length]
        place += 2 + length
        if code in FRAMES:
            height, width = int.from_bytes(header[1:3], "big"), int.from_bytes(header[3:5], "big")
            factors = {header[i]: divmod(header[i + 1], 16) for i in range(6, 6 + 3 * header[5], 3)}
            frame = Frame(width, height, factors)
        elif code == INTERVAL:
            interval = int.from_bytes(header[:2], "big")
        elif code == SCAN:
            segments += 1
            if frame is None or segments > MOST_SCANS:
                raise ValueError(f"damaged: it has no size, or more than {MOST_SCANS} scans")
            units = frame.units(header[1 : 1 + 2 * header[0] : 2])
            ends = _segments(content, place, -(-units // interval) if interval else 1)
            first, last, bits = header[-3:]
            yield Scan(place, ends, range(first, last + 1), refines=bits >= 16)
            place = ends[-1]
    raise ValueError(f"has more than {MOST_SEGMENTS} segments")


def _segments(content: bytes, place: int, count: int) -> list[int]:
    """Where each segment of a scan ends; so many, with restart markers in their order."""
    if count > MOST_SEGMENTS:
        raise ValueError(f"has more than {MOST_SEGMENTS} segments")
    ends = []
    while marker := MARKER.search(content, place):
        end = marker.start()
        while content[end - 1] == 0xFF and end > place:
            end -= 1
        ends.append(end)
        code, place = content[marker.end() - 1], marker.end()
        if code not in RESTARTS:
            break
        if len(ends) == count or code != RESTARTS[(len(ends) - 1) % len(RESTARTS)]:
            raise ValueError("damaged: a restart marker is out of place")
    else:
        raise ValueError("cut off: it has no end marker")
    if len(ends) < count:
        raise ValueError("damaged: restart markers are missing")
    return ends
