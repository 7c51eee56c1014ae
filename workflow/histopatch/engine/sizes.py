"""Progressive resizing: small patches in the first epochs, which are cheap, and full ones in the last.

After Howard's DAWNBench entry (2018) and Tan & Le, ICML 2021 (EfficientNetV2).
"""

from histopatch.settings import Settings

STEP = 16  # pixels, of which sizes on the way are multiples


def training_size(settings: Settings, epoch: int) -> int:
    """Height and width in pixels of the patches of an epoch, which are counted from 1.

    From `start_size` it rises in equal steps; the last third of the epochs, and at least the last one, has
    `image_size`. Without `start_size` all epochs have.
    """
    rising = settings.epochs - max(1, round(settings.epochs / 3))  # epochs before the last third
    if not settings.start_size or epoch > rising:
        return settings.image_size
    if epoch == 1:
        return settings.start_size
    share = (epoch - 1) / rising
    size = settings.start_size + share * (settings.image_size - settings.start_size)
    return min(max(round(size / STEP) * STEP, settings.start_size), settings.image_size)
