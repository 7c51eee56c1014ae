"""The sides of a split: what is on two of them is trained on and evaluated on at some point."""

from histopatch.data.folds import fold_name


def side_name(fold: int | str) -> str:
    """What a side is called: as the split itself calls it, or after the number of the fold."""
    return fold if isinstance(fold, str) else fold_name(fold)
