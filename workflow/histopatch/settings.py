"""What can be asked for in the configuration, as frozen dataclasses: a field for each key of the schema.

A field's default is the key's neutral value, at which it does nothing; a field without a default always
does something. So a setting that is added changes nothing that exists, and whoever reads an identity
(values at neutral left out) gets all fields back: `Settings(**identity)`.

Declarations only: no digest of code covers this module, because what is asked for is a param of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Settings:
    """The resolved configuration of a run."""

    backbone: str
    image_size: int  # height and width in pixels
    batch_size: int
    epochs: int
    lr: float
    seed: int
    split: str
    gpus: int = 1  # that share each batch
    start_size: int = 0  # pixels in the first epoch; 0 is image_size
    weights: str = "none"
    dropout: float = 0.0
    freeze_backbone: bool = False
    feature_head: str = "none"
    weight_decay: float = 0.0
    scheduler: str = "none"
    warmup: float = 0.0  # share of the steps
    layer_decay: float = 1.0
    unfreeze_epochs: int = 0
    patience: int = 0  # epochs
    balance: str = "none"
    pos_weight: bool = False
    focal_gamma: float = 0.0
    hard_share: float = 1.0
    label_smoothing: float = 0.0
    ema: float = 0.0  # decay of the average of the weights
    swa: float = 0.0  # share of the epochs
    tta: bool = False
    precision: str = "fp32"
    deterministic: bool = False
    stain_normalisation: str = "none"
    augmentation: Mapping[str, bool | float] = field(default_factory=dict)  # strength by operation


@dataclass(frozen=True)
class Split:
    """How the labelled patches are divided: who trains, who validates, what is held out."""

    validation_fraction: float
    seed: int
    folds: int = 1
    held_out_fraction: float = 0.0
    parts: str = "drawn"
    group_by: str = "none"
    appearance_clusters: int = 20
    unmapped: str = "stop"
    keep_duplicates_together: bool = False
    on_leak: str = "warn"


@dataclass(frozen=True)
class Cleaning:
    """What to do with label rows and images that cannot be used."""

    near_blank_std: float
    bad_rows: str = "reject"
    bad_images: str = "reject"
    near_blank: str = "keep"
