"""The centre of a patch, which its label is about: 32 of 96 pixels in PatchCamelyon and Kaggle's set.

Of patches of any other size it is the central third, too: the same part of what they show.
"""

SHARE = 1 / 3  # of height and width


def centre(size: int) -> slice:
    """The central third of an axis of `size` pixels, with as many pixels before it as behind it."""
    start = round(SHARE * size)
    return slice(start, size - start)
