"""Names that people bring: ids, slides, patients. Names that look the same are made the same."""

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
