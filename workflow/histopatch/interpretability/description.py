"""Where a model looks, in sentences."""

WARNING = (
    "**The centre decides less than chance. If the label is about the centre of a patch, as in PatchCamelyon "
    "and Kaggle's set, the model has learned something else: look at its heat maps.**"
)
NO_EVIDENCE = (
    "By one of these shares at least, of all patches or of the positive ones, it is not certain that the "
    "centre decides more than chance."
)


def describe_attribution(summary: dict) -> list[str]:
    """A sentence for each share of the centre, and whether one is below chance or not shown to be above it.

    A share is below or above if its interval is, over all patches or over the positive ones. Negative ones
    are not judged by themselves: that something is absent may be seen anywhere. summary: as `summarise`
    returns it, with `measured_on`.
    """
    size, chance = summary["centre_size"], f"{100 * summary['area_share']:.1f} %"
    grad_cam, occlusion = summary["grad_cam"], summary["occlusion"]
    lines = [
        f"How much the central {size}×{size} pixels decide, {chance} of the area, on {summary['patches']:,} "
        f"{summary['measured_on']}, {summary['positive']:,} of them positive (95 % intervals "
        f"{summary['interval']}):",
        "",
    ]
    if grad_cam["all"]:
        lines.append(
            f"- Grad-CAM: {_share(grad_cam)} of the evidence for the predicted class is there. "
            f"Chance: {chance}."
        )
    else:
        lines.append("- Grad-CAM: not known, as the feature maps have fewer than 3×3 cells or no evidence.")
    if occlusion["all"]:
        centre, border = (summary[f"change_without_{part}"]["mean"] for part in ("centre", "border"))
        lines.append(
            f"- Occlusion: on average the logit changes by {centre:.2f} without them and by {border:.2f} "
            f"without all others; the centre's part of the sum is {_share(occlusion)}. Chance: {chance}."
        )
    shares = [
        means[among] for means in (grad_cam, occlusion) for among in ("all", "positive") if means[among]
    ]
    if any(mean["high"] < summary["area_share"] for mean in shares):
        lines += ["", WARNING]
    elif any(mean["low"] <= summary["area_share"] for mean in shares):
        lines += ["", NO_EVIDENCE]
    return lines


def _share(means: dict) -> str:
    """The mean over all patches with its interval and spread, and those of the classes."""
    mean, low, high, sd = (100 * means["all"][name] for name in ("mean", "low", "high", "sd"))
    classes = [
        f"; {name} {100 * means[name]['mean']:.1f} %" for name in ("negative", "positive") if means[name]
    ]
    return f"{mean:.1f} % ({low:.1f}–{high:.1f}; standard deviation over patches {sd:.1f}{''.join(classes)})"
