"""Data-set formats: each says which keys it has, checks itself and hands over images, labels and slides."""

from histopatch.data.formats.format import Format
from histopatch.data.formats.kaggle import Kaggle
from histopatch.data.formats.synthetic import Synthetic

FORMATS: dict[str, type[Format]] = {"kaggle": Kaggle, "synthetic": Synthetic}
