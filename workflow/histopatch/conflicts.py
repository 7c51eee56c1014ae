"""Settings of a run that contradict each other, which no single key shows."""

from histopatch.settings import Settings


def conflict(settings: Settings) -> str:
    """What is wrong with the settings of a run together, as `key: fault; what to do`, or the empty text."""
    if settings.ema and settings.swa:
        return "swa: is one average of the weights and ema is another; set one of them to 0"
    if settings.patience and settings.swa:
        return "swa: averages the last epochs, which patience may leave out; set one of them to 0"
    if settings.start_size > settings.image_size:
        return (
            f"start_size: {settings.start_size} is more than image_size, {settings.image_size}; patches grow"
        )
    if settings.freeze_backbone:
        for key, does in (("unfreeze_epochs", "unfreezes"), ("layer_decay", "trains slowly")):
            if getattr(settings, key) != getattr(Settings, key):
                return f"{key}: {does} what freeze_backbone keeps as it is; set one of them to its default"
    return ""
