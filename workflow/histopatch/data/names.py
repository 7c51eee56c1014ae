"""Names that people bring: ids, slides, patients. Names that look the same are made the same."""

import os
import re
import unicodedata
from collections.abc import Collection, Iterable

import pandas as pd

from histopatch.data.listing import IMAGE_SUFFIXES
from histopatch.spreadsheets import FORMULA

LONGEST = 1024  # characters
SHOWN = 60  # characters of a name in a message
SUFFIX = re.compile(rf"({'|'.join(map(re.escape, IMAGE_SUFFIXES))})$", re.IGNORECASE)
SPREADSHEET_NUMBER = re.compile(r"\d([.,]\d+)?E[+-]?\d+", re.IGNORECASE)


def tidy(names: Iterable[str]) -> list[str]:
    """Names without surrounding blanks and invisible characters, in Unicode's composed form (NFC).

    macOS writes file names decomposed; web pages and spreadsheets add characters that nobody sees.
    """
    plain = [name.strip() for name in names]
    return plain if "".join(plain).isascii() else [tidy_name(name) for name in plain]


def tidy_name(name: str) -> str:
    """One name, as `tidy` makes it."""
    composed = unicodedata.normalize("NFC", name.strip())
    return "".join(c for c in composed if unicodedata.category(c) != "Cf").strip()


def writable(name: str) -> str:
    """A file name as text that can be written, with bytes that are not UTF-8 shown."""
    return name if name.isascii() else os.fsencode(name).decode("utf-8", "backslashreplace")


def quote(name: str) -> str:
    """A name in quotes for a message: one line, without anything that a terminal would act on."""
    text = repr(name[:SHOWN]) + ("…" if len(name) > SHOWN else "")
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def fault(name: str) -> str:
    """Why a name cannot be used, or the empty text."""
    if len(name) > LONGEST:
        return f"name of more than {LONGEST:,} characters"
    if not name.isprintable():
        return "control character in the name"
    if FORMULA.match(name):
        return "name that a spreadsheet would run as a formula"
    return ""


def match_ids(ids: pd.Series, known: Collection[str]) -> pd.Series:
    """Ids as they are among the known ones: with or without the suffix of an image, where that alone is the
    difference. An id that fits none, or several, stays as it is.
    """
    strange = ~ids.isin(known)
    if not strange.any():
        return ids
    bare: dict[str, str | None] = {}
    for name in set(known):
        stem = SUFFIX.sub("", name)
        bare[stem] = None if stem in bare else name
    fitting = [bare.get(SUFFIX.sub("", name)) or name for name in ids[strange]]
    # Two ids that would become one stay apart: `a.tif` and `a.png` are two images.
    repeated = pd.Series(fitting, dtype=str).duplicated(keep=False).to_numpy()
    same = ids[strange].duplicated(keep=False).to_numpy()
    fitting = [
        name if twice and not once else fit
        for name, fit, twice, once in zip(ids[strange], fitting, repeated, same, strict=True)
    ]
    return ids.mask(strange, pd.Series(fitting, index=ids.index[strange], dtype=str))


def spoiled(ids: pd.Series, known: Collection[str]) -> list[str]:
    """What a spreadsheet has done to ids that fit no known one, in a sentence for each kind."""
    strange = ids[~ids.isin(known)]
    if strange.empty:
        return []
    numbers = strange[[SPREADSHEET_NUMBER.fullmatch(name) is not None for name in strange]]
    padded = {name.lstrip("0"): name for name in known if name.startswith("0")}
    shortened = strange[[name.isdecimal() and name in padded for name in strange]]
    found = []
    if len(numbers):
        found.append(
            f"{len(numbers):,} ids were turned into numbers by a spreadsheet, such as "
            f"{quote(numbers.iloc[0])}: import the column as text"
        )
    if len(shortened):
        found.append(
            f"{len(shortened):,} ids lost their leading zeros, such as {quote(shortened.iloc[0])} for "
            f"{quote(padded[shortened.iloc[0]])}: import the column as text"
        )
    return found
