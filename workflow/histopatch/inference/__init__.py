"""An exported model on new patches: `load(folder).predict(images)`."""

from histopatch.inference.model import RUNTIMES, Model, load

__all__ = ["RUNTIMES", "Model", "load"]
