"""An exported model on new patches: `load(folder).predict(images)`."""

from histopatch.inference.model import Model, load

__all__ = ["Model", "load"]
