"""What a clinical reader asks of the final model, in words: calibration, net benefit, and abstaining."""

import pandas as pd


def describe_calibration(measured: dict) -> str:
    """Intercept, slope and calibration error, beside what calibrated probabilities would have.

    measured: of metrics.json, with `calibration`.
    """
    found = measured["calibration"]
    intercept = _with_interval(
        found, "intercept", "0 is right on average, below it probabilities are too high"
    )
    slope = _with_interval(found, "slope", "1 is right, below it they are too extreme, above it too moderate")
    return (
        f"Calibration: intercept {intercept}, slope {slope}. The calibration error is {measured['ece']:.4f}; "
        f"by chance alone calibrated probabilities would have {found['ece_by_chance']:.4f} on as many "
        f"independent patches, and seldom more than {found['ece_by_chance_high']:.4f}."
    )


def describe_net_benefit(curve: pd.DataFrame) -> str:
    """Where the model is better than treating everybody and than treating nobody, with confidence.

    curve: as `decision_curve` returns it.
    """
    better = beyond_both(curve)
    if not better.any():
        return (
            "Net benefit: at no threshold is it beyond chance that acting on the model is better than "
            "treating everybody and than treating nobody."
        )
    first, last = curve.threshold.min(), curve.threshold.max()
    return (
        f"Net benefit: at {better.sum()} of {len(curve)} thresholds from {first:.2f} to {last:.2f} acting on "
        "the model is better than treating everybody and than treating nobody, each beyond chance (pointwise "
        f"95 %): {_ranges(curve.threshold, better)}."
    )


def beyond_both(curve: pd.DataFrame) -> pd.Series:
    """At which thresholds of a curve acting on the model is beyond chance better than either alternative.

    curve: as of `describe_net_benefit`. The comparison with treating everybody is paired, so it may be beyond
    chance where the interval of the net benefit itself contains that of treating everybody.
    """
    # Slides that are all alike say nothing of how far others are from them.
    varies = curve.net_benefit_low < curve.net_benefit_high
    return varies & (curve.net_benefit_low > 0) & (curve.over_treat_all_low > 0)


def _ranges(thresholds: pd.Series, chosen: pd.Series) -> str:
    """The chosen thresholds in words, those that follow one another as a range."""
    stretch = (chosen != chosen.shift()).cumsum()[chosen]
    ends = [(these.min(), these.max()) for _, these in thresholds[chosen].groupby(stretch)]
    texts = [f"{low:.2f}" if low == high else f"{low:.2f} to {high:.2f}" for low, high in ends]
    return " and ".join(filter(None, (", ".join(texts[:-1]), texts[-1])))


def describe_abstaining(points: pd.DataFrame) -> list[str]:
    """A table of what leaving out doubtful patches achieves; points: a row per share."""
    first = points.iloc[0]
    lines = [
        "The least certain patches, those nearest to a probability of 0.5, are left to a pathologist: how "
        f"near is chosen on {first.chosen_on}, and what comes of it is reported on {first.reported_on}. If "
        f"all of these are called, {100 * first.error_all:.1f} % of the calls are wrong. A patch is called "
        "positive here from 0.5 on, not from one of the operating points.",
        "",
        "| meant to be left out | left out | wrong calls of the others | wrong calls of these |",
        "| --: | --: | --- | --: |",
    ]
    for row in points.itertuples():
        wrong = "none is called"
        if pd.notna(row.error):
            wrong = f"{100 * row.error:.1f} % ({100 * row.error_low:.1f} %–{100 * row.error_high:.1f} %)"
        aside = "" if pd.isna(row.error_abstained) else f"{100 * row.error_abstained:.1f} %"
        lines.append(f"| {100 * row.share:.0f} % | {100 * row.abstained_share:.1f} % | {wrong} | {aside} |")
    return lines


def _with_interval(found: dict, name: str, meaning: str) -> str:
    value, low, high = (found[f"{name}{suffix}"] for suffix in ("", "_low", "_high"))
    if value is None:
        return f"not known, as the probabilities are all the same or separate the classes ({meaning})"
    interval = "interval not known" if low is None or high is None else f"{low:.2f} to {high:.2f}"
    return f"{value:.2f} ({interval}; {meaning})"
