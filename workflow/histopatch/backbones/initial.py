"""The setting `weights`, as far as it can be checked without torch: the file is there, and looks like one."""

import difflib
import json
import os
import zipfile

from histopatch.errors import InputError

NAMES = ("imagenet", "none")
LONGEST_HEADER = 100_000_000  # bytes, as safetensors has it


def check_initial(weights: str) -> None:
    """Raise InputError unless weights are `imagenet`, `none` or what looks like a file of weights."""
    if weights in NAMES:
        return
    if not os.path.isfile(weights):
        raise InputError(f"weights: {weights!r} {_absence(weights)}")
    try:
        if fault := _fault(weights):
            raise InputError(f"{weights}: not a file of weights ({fault})")
    except OSError as error:
        raise InputError(f"{weights}: could not be read ({error.strerror})") from None


def is_safetensors(start: bytes) -> bool:
    """Whether a file that starts so has the header of safetensors: its size in 8 bytes, then JSON."""
    return start[8:9] == b"{"


def _absence(weights: str) -> str:
    """What to say where there is no such file."""
    if os.path.isdir(weights):
        return "is a folder; name the file in it"
    if weights.startswith("~"):
        return f"starts with `~`, which only a shell expands; write {os.path.expanduser(weights)!r}"
    close = difflib.get_close_matches(weights.lower(), NAMES, n=1)
    hint = f"; did you mean `{close[0]}`?" if close else ""
    return f"is neither `imagenet`, `none` nor a file{hint}"


def _fault(path: str) -> str:
    """Why a file can hold no weights, by its first bytes and its table of contents, or the empty text."""
    with open(path, "rb") as file:
        start = file.read(64)
        if is_safetensors(start):
            return _safetensors_fault(file)
    if not start:
        return "it is empty"
    if start.startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS; run `git lfs pull`"
    if start.lstrip()[:5].lower() in (b"<html", b"<!doc"):
        return "it is an HTML page; download the file itself"
    if start.startswith(b"PK"):
        return "" if _is_zip(path) else "it is damaged or cut off; fetch it again"
    # A pickle, as torch saved before it took to zip files.
    return "" if start.startswith(b"\x80") else f"it starts with {start[:16]!r}"


def _is_zip(path: str) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:  # where it says to span several files
        return False


def _safetensors_fault(file) -> str:
    """Whether the tensors that the header lists are all there, and nothing else."""
    file.seek(0)
    size = int.from_bytes(file.read(8), "little")
    try:
        header = json.loads(file.read(size)) if size <= LONGEST_HEADER else {}
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        whole = 8 + size + max(ends) == os.fstat(file.fileno()).st_size
    except (ValueError, TypeError, LookupError, RecursionError):
        whole = False
    return "" if whole else "its header of safetensors does not fit its size; fetch it again"
