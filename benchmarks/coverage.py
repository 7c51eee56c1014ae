"""Coverage of the confidence intervals of the AUROC by simulation, and the cost of all statistics of a run.

    python benchmarks/coverage.py

Predictions are simulated with a known AUROC in five ways: as independent patches; with patches of a slide
that share part of their score, as those of real slides do; and the same with positives on few slides only,
with slides of very unequal size, and with slides of one class each.
Two models with the same AUROC are simulated together, so the interval of their difference should include 0.
The mean AUROC of two folds is checked where the networks of the folds have other scales.
The band of the ROC curve is checked at a false positive rate of 0.1, and the interval of the sensitivity at
the threshold that has this rate. The cost is that of 220,025 predictions of 216 slides, the size of Kaggle's
training set.
"""

import argparse
import itertools
import sys
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import numpy as np
import pandas as pd
from machine import describe_machine, peak_bytes, table
from scipy.special import expit
from scipy.stats import norm

from histopatch.statistics.auroc import (
    Interval,
    contrasts_by_slide,
    delong,
    delong_contrasts,
    jackknife_by_slide,
)
from histopatch.statistics.calibration import calibration_error_by_chance, reliability_table
from histopatch.statistics.curves import precision_recall, roc_band
from histopatch.statistics.heterogeneity import heterogeneity
from histopatch.statistics.label_errors import suspect_labels
from histopatch.statistics.metrics import summarise
from histopatch.statistics.net_benefit import decision_curve
from histopatch.statistics.operating_points import at_threshold, choose_thresholds
from histopatch.statistics.proportions import korn_graubard
from histopatch.statistics.recalibration import fit_recalibration, recalibrate
from histopatch.statistics.selection import auroc_of_the_choice
from histopatch.statistics.selective import at_confidence, choose_confidences, risk_coverage
from histopatch.statistics.weak_calibration import weak_calibration


class Data(NamedTuple):
    """How slides differ."""

    shared: float = 0.3  # of the scores' variance, by patches of a slide
    positive: float = 1.0  # share of the slides that may have positives
    spread: float = 0.0  # of the logarithm of the slides' sizes
    one_class: bool = False  # every other slide has positives only, the others none


DATA = {
    "independent": Data(shared=0.0),
    "clustered": Data(),
    "few positive": Data(positive=0.25),  # as most lymph nodes are healthy
    "unequal sizes": Data(spread=0.8),
    "one class each": Data(one_class=True),
}
# Slides and patches of each.
SIZES = [(4, 40), (10, 30), (20, 25), (50, 20), (100, 30)]
AREAS = [0.8, 0.95, 0.995]
# Share of the noise that two models have in common: they tend to fail on the same patches.
COMMON = 0.8
# Where the coverage of the ROC band is checked, and the threshold with that rate for sensitivity.
FALSE_POSITIVE_RATE = 0.1
THRESHOLD = -norm.ppf(FALSE_POSITIVE_RATE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=400, help="per row of the table")
    parser.add_argument("--resamples", type=int, default=500, help="draws of the ROC band")
    parser.add_argument("--seed", type=int, default=0, help="of the simulations")
    arguments = parser.parse_args()
    print(describe_machine())
    print(f"\n{table(cost())}\n", flush=True)
    rows = []
    for data, size, area in itertools.product(DATA, SIZES, AREAS):
        rows.append(coverage(data, *size, area, arguments.simulations, arguments.resamples, arguments.seed))
        print(f"{len(rows)} of {len(DATA) * len(SIZES) * len(AREAS)} rows", file=sys.stderr)
    print(table(rows))


def simulate(
    generator: np.random.Generator, slides: int, per_slide: int, area: float, data: Data, models: int = 2
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Labels, the scores of some models, and slides, for about slides × per_slide patches of both classes.

    Scores are normal with variance 1 in both classes, such that the AUROC between patches of different
    slides is `area`. As in real data, some slides have hardly any positive patches and some hardly any
    negative ones.
    """
    numbers = np.arange(slides)
    sizes = np.full(slides, per_slide)
    if data.spread:
        unequal = per_slide * generator.lognormal(-(data.spread**2) / 2, data.spread, slides)
        sizes = np.maximum(unequal.round().astype(int), 2)
    slide = np.repeat(numbers, sizes)
    while True:
        chance = np.where(numbers < data.positive * slides, generator.beta(0.5, 0.75, slides), 0)
        if data.one_class:
            chance = numbers % 2
        labels = (generator.random(len(slide)) < chance[slide]).astype(int)
        if 0 < labels.sum() < len(labels):
            break
    both = _noise(generator, slides, models)[:, slide]
    own = _noise(generator, len(slide), models)
    scores = np.sqrt(2) * norm.ppf(area) * labels
    scores = scores + np.sqrt(data.shared) * both + np.sqrt(1 - data.shared) * own
    return labels, list(scores), slide


def _noise(generator: np.random.Generator, size: int, models: int) -> np.ndarray:
    """Noise of models that have a part of it in common: models×size."""
    common, own = generator.normal(size=size), generator.normal(size=(models, size))
    return np.sqrt(COMMON) * common + np.sqrt(1 - COMMON) * own


def coverage(
    data: str, slides: int, per_slide: int, area: float, simulations: int, resamples: int, seed: int
) -> dict:
    """A row of the table: how often each 95 % interval includes the true value, in per cent."""
    generator = np.random.default_rng(seed)
    covered = np.zeros(7)
    sensitivity = norm.cdf(np.sqrt(2) * norm.ppf(area) + norm.ppf(FALSE_POSITIVE_RATE))
    for simulation in range(simulations):
        labels, (a, b), slide = simulate(generator, slides, per_slide, area, DATA[data])
        draws = {"resamples": resamples, "seed": simulation}
        called = a >= THRESHOLD
        intervals = [
            (area, delong(labels, a)),
            (area, jackknife_by_slide(labels, a, slide)),
            (0, delong_contrasts(labels, [a, b], [[1, -1]])[0]),
            (0, contrasts_by_slide(labels, [a, b], [[1, -1]], slide)[0]),
            (sensitivity, _band_at_rate(roc_band(labels, expit(a), slide, **draws, points=50))),
            (sensitivity, korn_graubard(called, labels == 1, slide)),
            (area, _within_folds(labels, a, slide)),
        ]
        covered += [interval.low <= truth <= interval.high for truth, interval in intervals]
    names = ["DeLong", "slide jackknife", "difference, DeLong", "difference, slide jackknife", "ROC band"]
    names += ["sensitivity at a threshold", "within folds, slide jackknife"]
    case = {"data": data, "slides": slides, "patches": slides * per_slide, "AUROC": area}
    shares = (100 * covered / simulations).tolist()
    return case | dict(zip(names, shares, strict=True)) | {"simulations": simulations}


def _within_folds(labels: np.ndarray, scores: np.ndarray, slide: np.ndarray) -> Interval:
    """The mean AUROC of two folds, predicted on other scales; slides with positives are in both."""
    positive = np.bincount(slide, labels) > 0
    folds = np.where(positive, positive.cumsum(), (~positive).cumsum())[slide] % 2
    if len({*zip(labels, folds, strict=True)}) < 4:  # a fold has one class only, and no AUROC
        return Interval(np.nan, 0.0, 1.0)
    return jackknife_by_slide(labels, scores + folds, slide, folds=folds)


def _band_at_rate(band: pd.DataFrame) -> Interval:
    """The sensitivity at FALSE_POSITIVE_RATE with its band, interpolated between rows."""
    values = band.drop(columns="false_positive_rate")
    return Interval(*(np.interp(FALSE_POSITIVE_RATE, band.false_positive_rate, values[x]) for x in values))


def cost(patches: int = 220_025, slides: int = 216, resamples: int = 1000) -> list[dict]:
    """Seconds of each statistic of one run, and the peak memory of the process so far."""
    labels, (a, b), slide = simulate(np.random.default_rng(0), slides, patches // slides + 1, 0.97, Data())
    labels, a, b, slide = labels[:patches], expit(a[:patches] - 1), expit(b[:patches] - 1), slide[:patches]
    draws = {"resamples": resamples, "seed": 0}
    grid = [a + shift * b for shift in range(8)]
    contrasts = np.eye(8)[:-1] - np.eye(8)[1:]
    statistics = {
        "summary, slide jackknife": lambda: summarise(labels, a, slide),
        "paired DeLong": lambda: delong_contrasts(labels, [a, b], [[1, -1]]),
        "paired slide jackknife": lambda: contrasts_by_slide(labels, [a, b], [[1, -1]], slide),
        "7 contrasts of 8 models, DeLong": lambda: delong_contrasts(labels, grid, contrasts),
        "7 contrasts of 8 models, slide jackknife": lambda: contrasts_by_slide(
            labels, grid, contrasts, slide
        ),
        f"ROC band, {resamples:,} draws of slides": lambda: roc_band(labels, a, slide, **draws),
        f"ROC band, {resamples:,} draws of patches": lambda: roc_band(labels, a, **draws),
        "precision against recall": lambda: precision_recall(labels, a),
        "thresholds, chosen and evaluated": lambda: [
            at_threshold(labels, b, threshold, [0.01, 0.1], slide)
            for threshold in choose_thresholds(labels, a).values()
        ],
        "recalibration, fitted and applied": lambda: recalibrate(b, fit_recalibration(labels, a)),
        "reliability table": lambda: reliability_table(labels, a),
        "calibration error by chance": lambda: calibration_error_by_chance(a),
        "calibration intercept and slope": lambda: weak_calibration(labels, a, slide),
        "decision curve": lambda: decision_curve(labels, a, slide),
        "abstaining": lambda: [
            risk_coverage(labels, a),
            *(at_confidence(labels, a, threshold, slide) for threshold in choose_confidences(b).values()),
        ],
        "heterogeneity of 5 groups": lambda: heterogeneity(labels, a, slide % 5, slide),
        "suspicious labels": lambda: suspect_labels(labels, a),
        "the choice among 8 models, 1,000 draws": lambda: auroc_of_the_choice(labels, grid, slide),
    }
    rows = []
    for name, statistic in statistics.items():
        started, busy = time.perf_counter(), time.process_time()
        statistic()
        seconds, of_cpu = time.perf_counter() - started, time.process_time() - busy
        rows.append({"statistic": name, "seconds": seconds, "of CPU": of_cpu, "peak GB": peak_bytes() / 1e9})
    total = {name: sum(row[name] for row in rows) for name in ("seconds", "of CPU")}
    return [*rows, {"statistic": "all", **total, "peak GB": peak_bytes() / 1e9}]


if __name__ == "__main__":
    main()
