"""Whether a PNG file is whole: Pillow does not look at the checksums of the pixels."""

import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_CHUNKS = 10_000  # and one for each CHUNK_BYTES of a file: encoders write 8 kB of pixels or more in one
CHUNK_BYTES = 4096


def structure_fault(content: bytes) -> str | None:
    """What is wrong with the chunks of a file, or None; what lies behind the last one does not count."""
    view, place = memoryview(content), len(SIGNATURE)
    most = MOST_CHUNKS + len(content) // CHUNK_BYTES
    for _ in range(most):
        kind = content[place + 4 : place + 8]
        end = place + 12 + int.from_bytes(content[place : place + 4], "big")
        if len(kind) < 4 or end > len(content):
            return "cut off: it has no end chunk"
        if zlib.crc32(view[place + 4 : end - 4]) != int.from_bytes(content[end - 4 : end], "big"):
            return "damaged: a checksum is wrong"
        if kind == b"IEND":
            return None
        place = end
    return f"has more than {most} chunks"


def bits(content: bytes) -> int:
    """Bits of a channel, from the header."""
    return content[24]
