"""Whether a TIFF file is whole and its pixels mean what Pillow takes them for."""

import io
import struct
import zlib

from PIL import ExifTags, TiffImagePlugin

from histopatch.data import jpeg

BIG = (b"+\0", b"\0+")
SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
Tag = ExifTags.Base
MOST_TAGS, MOST_VALUES = 1000, 100_000  # of the first page
UNSIGNED, UNDEFINED = 1, 4  # sample formats
OLD_JPEG, JPEG, DEFLATE = (6,), (7,), (8, 32946)  # compressions
RAW = 1
PLANES = 2  # a configuration with one plane for each channel
SIZES = {3: 2, 4: 4, 16: 8}  # bytes of a value, by its type, in tags that say where and what the pixels are
OF_PIXELS = (Tag.BitsPerSample, Tag.StripOffsets, Tag.StripByteCounts, Tag.TileOffsets, Tag.TileByteCounts)
CUT_OFF = "cut off: its tags lie beyond its end"
BYTES = (1, 2, 6, 7)  # types of values that are single bytes, as texts and colour profiles are


def structure_fault(content: bytes) -> str | None:
    """What is wrong with the tags of the first page, or None: Pillow reads them all, however many."""
    order = {b"II": "<", b"MM": ">"}[content[:2]]
    big = content[2:4] in BIG
    header, count, entry = ("Q", "Q", "HHQ8s") if big else ("I", "H", "HHI4s")
    try:
        (place,) = struct.unpack_from(order + header, content, 8 if big else 4)
        (tags,) = struct.unpack_from(order + count, content, place)
        if tags > MOST_TAGS:
            return f"has {tags} tags in one page"
        place += struct.calcsize(order + count)
        end = place + tags * struct.calcsize(order + entry)
        struct.unpack_from(order + header, content, end)  # the place of the next page, 0 behind the last one
        entries = [*struct.iter_unpack(order + entry, content[place:end])]
        for tag, kind, number, value in entries:
            length = number * SIZES.get(kind, 0)
            if tag in OF_PIXELS and length > len(value):  # then the value is where the values lie
                end = max(end, struct.unpack(order + header, value)[0] + length)
        values = sum(number for _, kind, number, _ in entries if kind not in BYTES)
    except (struct.error, OverflowError):
        return CUT_OFF
    if end > len(content):
        return CUT_OFF
    return f"has {values} values in the tags of one page" if values > MOST_VALUES else None


def kind_fault(tags) -> str | None:
    """Why the values of pixels with these tags are not what Pillow would take them for, or None."""
    most = _bits(tags)
    if most > 8:
        return f"{most} bits a channel; save it with 8"
    samples = tags.get(Tag.SamplesPerPixel, 1)
    if samples > 4:
        return f"{samples} channels; save it in RGB"
    if not {*_values(tags, Tag.SampleFormat)} <= {UNSIGNED, UNDEFINED}:
        return "signed numbers a channel; save it with 8 bits, unsigned"
    if Tag.PhotometricInterpretation not in tags and tags.get(Tag.Compression) not in OLD_JPEG:
        return "a TIFF that does not say whether 0 is black or white"
    return None


def unknown_kind(content: bytes) -> str:
    """What is so unusual about the pixels of a file that Pillow does not know them."""
    tags = TiffImagePlugin.ImageFileDirectory_v2(content[: 16 if content[2:4] in BIG else 8])
    file = io.BytesIO(content)
    file.seek(tags.next)
    tags.load(file)
    bits, samples = _bits(tags), tags.get(Tag.SamplesPerPixel, 1)
    meaning = tags.get(Tag.PhotometricInterpretation)
    return kind_fault(tags) or f"{samples} channels of {bits} bits with meaning {meaning}; save it in RGB"


def data_fault(image: TiffImagePlugin.TiffImageFile, content: bytes) -> str | None:
    """What is missing or damaged of the strips or tiles, or None. LZW and PackBits tell it when decoded."""
    tags = image.tag_v2
    compression = tags.get(Tag.Compression, RAW)
    offsets, counts = _strips(tags)
    needed = image.width * image.height * tags.get(Tag.SamplesPerPixel, 1) * _bits(tags) // 8
    if len(offsets) < _strips_needed(tags):
        return "cut off: it has fewer strips than its pixels need"
    if compression == RAW and counts and sum(counts) < needed:
        return "cut off: its strips are too short for its pixels"
    if compression == RAW:
        return None  # whether they are all there, Pillow looks itself
    for offset, count in zip(offsets, counts, strict=False):
        if offset + count > len(content):
            return "cut off: its strips lie beyond its end"
        data = content[offset : offset + count]
        if compression in DEFLATE and not _inflates(data):
            return "damaged: its data cannot be decompressed to the end"
        if compression in JPEG and (fault := jpeg.structure_fault(data)):
            return fault
    return None


def _strips(tags) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Offsets and lengths of the strips or tiles."""
    names = (("StripOffsets", "StripByteCounts"), ("TileOffsets", "TileByteCounts"))
    offsets, counts = names[Tag.TileOffsets in tags]
    return _values(tags, Tag[offsets]), _values(tags, Tag[counts])


def _strips_needed(tags) -> int:
    """How many strips or tiles the pixels fill."""
    width, height = tags[Tag.ImageWidth], tags[Tag.ImageLength]
    if Tag.TileOffsets in tags:
        count = -(-width // tags[Tag.TileWidth]) * -(-height // tags[Tag.TileLength])
    else:
        count = -(-height // tags.get(Tag.RowsPerStrip, height))
    return count * (tags.get(Tag.SamplesPerPixel, 1) if tags.get(Tag.PlanarConfiguration) == PLANES else 1)


def _values(tags, tag: int) -> tuple[int, ...]:
    value = tags.get(tag, ())
    return value if isinstance(value, tuple) else (value,)


def _bits(tags) -> int:
    return max(_values(tags, Tag.BitsPerSample) or (1,))


def _inflates(data: bytes) -> bool:
    """Whether data are a complete zlib stream with the right checksum."""
    stream = zlib.decompressobj()
    try:
        while data and not stream.eof:
            stream.decompress(data, 2**24)
            data = stream.unconsumed_tail
    except zlib.error:
        return False
    return stream.eof
