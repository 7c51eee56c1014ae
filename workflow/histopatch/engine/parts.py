"""How a number of patches is cut up for the memory."""


def even_parts(count: int, most: int) -> list[int]:
    """Sizes of the parts of `count` patches, of `most` each or a little less, and none of a lone patch.

    Batch normalisation has nothing to normalise a single patch with: for its sake one part may be larger.
    """
    if not count:
        return []
    parts = max(1, min(-(-count // most), count // 2))
    size, larger = divmod(count, parts)
    return [size + 1] * larger + [size] * (parts - larger)
