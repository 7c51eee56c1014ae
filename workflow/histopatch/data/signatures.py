"""What a file is that is no image, in words for people, from its first bytes."""

SIGNATURES = {
    b"version https://git-lfs": "a Git LFS pointer; fetch the images with `git lfs pull`",
    b"<!DOCTYPE": "a web page",
    b"<!doctype": "a web page",
    b"<html": "a web page",
    b"<HTML": "a web page",
    b"<?xml": "an XML text",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "gzip data",
    b"BZh": "bzip2 data",
    b"\xfd7zXZ": "xz data",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"%PDF": "a PDF file",
    b"%!PS": "PostScript",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"8BPS": "a Photoshop file",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 image; save it as TIFF, PNG or JPEG",
    b"\xff\x4f\xff\x51": "a JPEG 2000 image; save it as TIFF, PNG or JPEG",
    b"\xff\x0a": "a JPEG XL image; save it as TIFF, PNG or JPEG",
    b"\0\0\0\x0cJXL ": "a JPEG XL image; save it as TIFF, PNG or JPEG",
    b"MZ": "a Windows program",
    b"\x7fELF": "a Linux program",
    b"\x00\x05\x16\x07": "what macOS keeps beside a file on other disks",
    b"II": "a TIFF image with a damaged header",
    b"MM": "a TIFF image with a damaged header",
    b"\xff\xd8\xff": "a JPEG image with a damaged header",
    b"\x89PNG": "a PNG image with a damaged header",
}
# Behind other bytes.
INNER = {
    (128, b"DICM"): "a DICOM file; save its pixels as TIFF or PNG",
    (8, b"WEBP"): "a WebP image; save it as TIFF, PNG or JPEG",
    (4, b"ftypavif"): "an AVIF image; save it as TIFF, PNG or JPEG",
    (4, b"ftyphei"): "a HEIF image; save it as TIFF, PNG or JPEG",
}
SHOWN = 16  # bytes of anything else


def describe(content: bytes) -> str:
    """What a file is by its first bytes, which are quoted where nothing is known of them."""
    if not content:
        return "the file is empty"
    for signature, meaning in SIGNATURES.items():
        if content.startswith(signature):
            return meaning
    for (offset, signature), meaning in INNER.items():
        if content.startswith(signature, offset):
            return meaning
    start = content[:SHOWN]
    if not any(start):
        return "the file begins with zeros"
    text = start.decode("ascii", "replace")
    if all(c.isprintable() or c.isspace() for c in text) and text.isascii():
        return f"a text that begins {text.strip()!r}"
    return f"no image; it begins with the bytes {start.hex(' ')}"
