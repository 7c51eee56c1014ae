"""Ways to an interval of the AUROC by slide, on the same simulated predictions.

    python benchmarks/slide_intervals.py [--simulations 300] [--resamples 500]

How often 95 % intervals include the true AUROC, and the true difference of two equally good models: from
quantiles of the bootstrap over slides; with Obuchowski's variance and quantiles of the normal distribution,
as published; with the same variance and the quantiles of Student's t that the jackknife has; and with the
jackknife, which is what the pipeline does. Intervals of one model are symmetric on the logit scale, except
those of the bootstrap, which need no scale.

Obuchowski, Biometrics 53, 1997 (the variance); Rutter, Academic Radiology 7, 2000 (the bootstrap).
"""

import argparse
import itertools
import sys
from typing import NamedTuple

import numpy as np
from coverage import AREAS, DATA, SIZES, simulate
from machine import describe_machine, table
from scipy.special import expit, logit
from scipy.stats import norm, t

from histopatch.statistics.auroc import contrasts_by_slide, jackknife_by_slide, slides_of_the_rarer_class

LEVEL = 0.95
METHODS = ("bootstrap", "Obuchowski", "Obuchowski, t", "jackknife, t")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=300, help="per number of the table")
    parser.add_argument("--resamples", type=int, default=500, help="draws of each bootstrap")
    arguments = parser.parse_args()
    print(f"{describe_machine()}\n", flush=True)
    rows = []
    for data, (slides, per_slide) in itertools.product(DATA, SIZES):
        shares = [coverage(data, slides, per_slide, area, **vars(arguments)) for area in AREAS]
        columns = {name: _range([share[name] for share in shares]) for name in shares[0]}
        rows.append({"data": data, "slides": slides} | columns)
        print(f"{len(rows)} of {len(DATA) * len(SIZES)} rows", file=sys.stderr)
    print(table(rows))


def coverage(
    data: str, slides: int, per_slide: int, area: float, simulations: int, resamples: int
) -> dict[str, float]:
    """How often the intervals of one model, then those of a difference, include the truth, in per cent."""
    generator = np.random.default_rng(0)
    covered = np.zeros((2, len(METHODS)))
    for _ in range(simulations):
        labels, scores, slide = simulate(generator, slides, per_slide, area, DATA[data])
        for row, (truth, intervals) in enumerate(
            [
                (area, of_one_model(labels, scores[0], slide, resamples, generator)),
                (0, of_a_difference(labels, scores, slide, resamples, generator)),
            ]
        ):
            covered[row] += [low <= truth <= high for low, high in intervals]
    names = [f"{what}: {method}" for what in ("one model", "difference") for method in METHODS]
    return dict(zip(names, (100 * covered / simulations).ravel().tolist(), strict=True))


class Pairs(NamedTuple):
    """What the AUROC consists of, for S slides.

    ordered (S×S): pairs of a positive of the row's slide and a negative of the column's that are in order,
    ties as one half; positives, negatives (S): patches of each slide.
    """

    ordered: np.ndarray
    positives: np.ndarray
    negatives: np.ndarray

    def area(self, times: np.ndarray) -> np.ndarray:
        """The AUROCs (D) if each slide counts so many times (D×S); NaN where a class is missing."""
        with np.errstate(invalid="ignore"):
            pairs = (times @ self.positives) * (times @ self.negatives)
            return ((times @ self.ordered) * times).sum(axis=1) / pairs


def count_pairs(labels: np.ndarray, scores: np.ndarray, slide: np.ndarray) -> Pairs:
    """labels: N of 0 and 1; scores: N; slide: N codes from 0."""
    positive, negative = labels == 1, labels == 0
    above = scores[positive, None] > scores[negative]
    equal = scores[positive, None] == scores[negative]
    own = np.eye(slide.max() + 1)
    ordered = own[slide[positive]].T @ (above + equal / 2) @ own[slide[negative]]
    return Pairs(ordered, own[slide[positive]].sum(axis=0), own[slide[negative]].sum(axis=0))


def obuchowski(models: list[Pairs], weights: list[float]) -> float:
    """The standard error of a weighted sum of the AUROCs of models of the same patches.

    A slide deviates by the sum of the placements of its positives, less what the AUROC lets expect of so
    many, and likewise by that of its negatives.
    """
    positives, negatives = models[0].positives, models[0].negatives
    of_positives, of_negatives = np.zeros((2, len(positives)))
    for weight, (ordered, *_) in zip(weights, models, strict=True):
        area = ordered.sum() / positives.sum() / negatives.sum()
        of_positives += weight * (ordered.sum(axis=1) / negatives.sum() - positives * area)
        of_negatives += weight * (ordered.sum(axis=0) / positives.sum() - negatives * area)
    of_positives, of_negatives = of_positives / positives.sum(), of_negatives / negatives.sum()
    products = [
        (of_positives**2, positives > 0),
        (of_negatives**2, negatives > 0),
        (2 * of_positives * of_negatives, positives + negatives > 0),
    ]
    variance = sum(values.sum() * have.sum() / (have.sum() - 1) for values, have in products)
    return float(np.sqrt(max(variance, 0)))


def of_one_model(
    labels: np.ndarray, scores: np.ndarray, slide: np.ndarray, resamples: int, generator: np.random.Generator
) -> list[tuple[float, float]]:
    """The interval of the AUROC by each of METHODS; arguments as in `count_pairs`."""
    rarer = slides_of_the_rarer_class(labels, slide)
    if rarer < 2:
        return [(0, 1)] * len(METHODS)
    pairs = count_pairs(labels, scores, slide)
    area = pairs.ordered.sum() / pairs.positives.sum() / pairs.negatives.sum()
    draws = pairs.area(_draws(len(pairs.positives), resamples, generator))
    intervals = [tuple(np.nanquantile(draws, _both_sides()))]
    error = obuchowski([pairs], [1])
    for quantile in (norm, t(rarer - 1)):
        if area == 1:  # and so on the logit scale without an end
            intervals.append((1, 1))
        else:
            value, own = logit(area), error / (area * (1 - area))
            intervals.append(tuple(expit(value + own * quantile.ppf(_both_sides()))))
    jackknife = jackknife_by_slide(labels, scores, slide, LEVEL)
    return [*intervals, (jackknife.low, jackknife.high)]


def of_a_difference(
    labels: np.ndarray,
    scores: list[np.ndarray],
    slide: np.ndarray,
    resamples: int,
    generator: np.random.Generator,
) -> list[tuple[float, float]]:
    """The interval of the first AUROC minus the second by each of METHODS."""
    rarer = slides_of_the_rarer_class(labels, slide)
    if rarer < 2:
        return [(-1, 1)] * len(METHODS)
    models = [count_pairs(labels, of_model, slide) for of_model in scores]
    draws = _draws(len(models[0].positives), resamples, generator)
    differences = models[0].area(draws) - models[1].area(draws)
    intervals = [tuple(np.nanquantile(differences, _both_sides()))]
    jackknife = contrasts_by_slide(labels, scores, [[1, -1]], slide, LEVEL)[0]
    error = obuchowski(models, [1, -1])
    for quantile in (norm, t(rarer - 1)):
        intervals.append(tuple(jackknife.difference + error * quantile.ppf(_both_sides())))
    return [*intervals, (jackknife.low, jackknife.high)]


def _draws(slides: int, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """How often each of S slides is in each of D samples of S slides with replacement (D×S)."""
    return generator.multinomial(slides, np.full(slides, 1 / slides), resamples)


def _both_sides() -> np.ndarray:
    return np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])


def _range(values: list[float]) -> str:
    low, high = f"{min(values):.3g}", f"{max(values):.3g}"
    return low if low == high else f"{low}–{high}"


if __name__ == "__main__":
    main()
