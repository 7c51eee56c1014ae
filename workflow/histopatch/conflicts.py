"""Settings of a run that contradict each other, which no single key shows."""

from histopatch.settings import Settings

# Settings of a training in steps, which a solver does not have.
SOLVED = (
    "dropout", "scheduler", "warmup", "patience", "balance", "focal_gamma", "hard_share", "label_smoothing",
    "ema", "swa",
)  # fmt: skip


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
    if settings.start_size and settings.epochs == 1:
        return "start_size: does nothing in a single epoch, which has image_size; set it to 0"
    if settings.unfreeze_epochs >= settings.epochs:
        return (
            f"unfreeze_epochs: {settings.unfreeze_epochs} leave layers frozen to the end of a training of "
            f"{settings.epochs} epochs; take fewer"
        )
    if settings.warmup and settings.scheduler == "one_cycle":
        return "warmup: does nothing with `scheduler: one_cycle`, which begins with a rise; set it to 0"
    if settings.pos_weight and "class" in settings.balance:
        return (
            "pos_weight: makes up for rare positives, which balance shows more often already; set it to false"
        )
    if settings.gpus > 1 and (settings.batch_size % settings.gpus or settings.batch_size < 2 * settings.gpus):
        return (
            f"batch_size: {settings.batch_size} cannot be shared by {settings.gpus} gpus; take a multiple of "
            f"{settings.gpus} that gives each two patches or more"
        )
    if settings.freeze_backbone:
        for key, does in (("unfreeze_epochs", "unfreezes"), ("layer_decay", "trains slowly")):
            if getattr(settings, key) != getattr(Settings, key):
                return f"{key}: {does} what freeze_backbone keeps as it is; set one of them to its default"
    return _conflict_of_head(settings)


def _conflict_of_head(settings: Settings) -> str:
    """Likewise, of a head on the features of a frozen encoder, which are computed once."""
    if settings.feature_head == "none":
        return ""
    if not settings.freeze_backbone:
        return "feature_head: reads features that are computed once; set freeze_backbone to true"
    for name, strength in sorted(settings.augmentation.items()):
        if strength:
            neutral = str(type(strength)(0)).lower()
            return f"augmentation.{name}: feature_head sees patches as they are; set it to {neutral}"
    unused = ("start_size", "tta", "stain_normalisation", "gpus")
    if settings.feature_head == "logistic_regression":
        unused += SOLVED
    asked = [key for key in unused if getattr(settings, key) != getattr(Settings, key)]
    if not asked:
        return ""
    neutral = [f"`{key}: {str(getattr(Settings, key)).lower()}`" for key in asked]
    others = f", nor do others: set {', '.join(neutral)}" if asked[1:] else f"; set {neutral[0]}"
    return f"{asked[0]}: does nothing with `feature_head: {settings.feature_head}`{others}"
