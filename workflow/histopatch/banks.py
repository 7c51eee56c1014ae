"""Feature banks: what the features of a frozen encoder depend on, as a part of a run's settings."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from histopatch.backbones.catalogue import slug
from histopatch.settings import Settings

PARTS = ("backbone", "weights", "image_size", "precision", "deterministic")
BATCH = 64  # patches that would train at a time; four times as many are embedded


@dataclass(frozen=True)
class Bank:
    """The features of every patch of a pack under one encoder; runs that share it differ in their head."""

    identity: dict  # the settings that it depends on, those at neutral left out

    @cached_property
    def name(self) -> str:
        """`<backbone>-<size>px-<hash>`, like the name of a run's folder."""
        digest = hashlib.sha256(json.dumps(self.identity, sort_keys=True).encode()).hexdigest()[:10]
        return f"{slug(self.identity['backbone'])}-{self.identity['image_size']}px-{digest}"

    @cached_property
    def settings(self) -> Settings:
        """Settings that build the encoder; those of a training are of no account."""
        training = {
            "batch_size": BATCH,
            "epochs": 1,
            "lr": 1.0,
            "split": "",
            "seed": 0,
            "freeze_backbone": True,
        }
        return Settings(**training | self.identity)


def bank_of(identity: dict) -> Bank | None:
    """The bank that a run reads, by the identity of the run, or None where it trains on images."""
    if "feature_head" not in identity:
        return None
    # An encoder with random weights is drawn from the seed.
    parts = PARTS if "weights" in identity else (*PARTS, "seed")
    return Bank({key: identity[key] for key in sorted(parts) if key in identity})
