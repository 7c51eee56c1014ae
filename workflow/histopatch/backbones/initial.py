"""The setting `weights`, as far as it can be checked without reading the file."""

import difflib
import os

from histopatch.errors import InputError

NAMES = ("imagenet", "none")


def check_initial(weights: str) -> None:
    """Raise InputError unless the initial weights are `imagenet`, `none` or a file that is there."""
    if weights in NAMES or os.path.isfile(weights):
        return
    if os.path.isdir(weights):
        raise InputError(f"weights: {weights!r} is a folder; name the file in it")
    if weights.startswith("~"):
        raise InputError(
            f"weights: {weights!r} starts with `~`, which is not known here; write the whole path"
        )
    close = difflib.get_close_matches(weights.lower(), NAMES, n=1)
    hint = f"; did you mean `{close[0]}`?" if close else ""
    raise InputError(f"weights: {weights!r} is neither `imagenet`, `none` nor a file{hint}")
