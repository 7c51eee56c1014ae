"""Names that people bring: ids, slides, patients. Names that look the same are made the same."""

import os
import unicodedata

import pandas as pd


def tidy(names: pd.Series) -> pd.Series:
    """Names without surrounding blanks and invisible characters, in Unicode's composed form (NFC).

    macOS writes file names decomposed, spreadsheets and web pages add characters that nobody sees.
    """
    plain = names.str.strip()
    unusual = ~plain.map(str.isascii).astype(bool)
    if unusual.any():
        plain = plain.mask(unusual, plain[unusual].map(_visible))
    return plain


def _visible(name: str) -> str:
    composed = unicodedata.normalize("NFC", name)
    return "".join(c for c in composed if unicodedata.category(c) not in ("Cf", "Cc")).strip()


def tidied(name: str) -> str:
    """A file name as an id: like `tidy`, and bytes that are not UTF-8 are shown, as in `\\xff`."""
    return name.strip() if name.isascii() else _visible(writable(name))


def writable(name: str) -> str:
    """A file name as text that can be written, with bytes that are not UTF-8 shown."""
    return name if name.isascii() else os.fsencode(name).decode("utf-8", "backslashreplace")
