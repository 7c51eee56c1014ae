"""Steps of an audit that take long, kept: an audit that was interrupted goes on after its last whole step."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from histopatch import fingerprints
from histopatch.data.images import Images, names_digest
from histopatch.files import replacing


def keep(outputs: Sequence[Path], made_from: str, make: Callable[[], None]) -> None:
    """Call `make`, unless it has made the outputs before from what has the same fingerprint."""
    stamp = outputs[0].with_name(f"{outputs[0].name}.made_from")
    if all(path.is_file() for path in (stamp, *outputs)) and stamp.read_text() == made_from:
        return
    stamp.unlink(missing_ok=True)
    make()
    with replacing(stamp) as temporary:
        temporary.write_text(made_from)


def fingerprint(images: Images, module: str) -> str:
    """Digest of the names of images, of the size and time of each file, and of the code of a module.

    module: relative to the library, such as `data/pack.py`.
    """
    digest = hashlib.sha256(fingerprints.code(fingerprints.LIBRARY / module, ("data.arrays",)).encode())
    digest.update(names_digest(images).encode())
    for file in dict.fromkeys(images.files):
        path = Path(images.where, file).absolute()
        status = path.stat()
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()
