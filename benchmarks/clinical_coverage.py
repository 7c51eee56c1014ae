"""Coverage by simulation of the intervals of calibration intercept, slope and net benefit.

    python benchmarks/clinical_coverage.py

Slides differ in their share of positives and in how well the probabilities are calibrated. What is true is
taken from 20,000 slides of the same kind.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import numpy as np
import pandas as pd
from machine import describe_machine, table
from scipy.special import expit

from histopatch.statistics.net_benefit import decision_curve
from histopatch.statistics.weak_calibration import weak_calibration

KINDS = {
    "equal": {},
    "unequal": {"unequal": True},
    "unequal, positives on 30 %": {"unequal": True, "with_positives": 0.3},
}
SLIDES = (6, 10, 20, 50)
PATCHES = 40  # of a slide, on average
THRESHOLDS = (0.1, 0.3, 0.5, 0.8)
CURVES = ("net_benefit", "over_treat_all")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=300, help="per row of the table")
    simulations = parser.parse_args().simulations
    print(f"{describe_machine()}\n")
    rows = [coverage(name, slides, simulations) for name in KINDS for slides in SLIDES]
    print(table(rows))


def coverage(kind: str, slides: int, simulations: int) -> dict:
    """The share of simulations whose intervals cover what is true."""
    generator = np.random.default_rng(1)
    truth = intervals(*draw(generator, 20_000, **KINDS[kind]))["value"]
    covered = np.zeros(len(truth))
    for _ in range(simulations):
        labels, *rest = draw(generator, slides, **KINDS[kind])
        while labels.min() == labels.max():
            labels, *rest = draw(generator, slides, **KINDS[kind])
        found = intervals(labels, *rest)
        covered += ((found.low <= truth) & (truth <= found.high)).to_numpy()
    shares = pd.Series(covered / simulations, truth.index)
    row = {"slides": slides, "sizes": kind, "intercept": shares["intercept"], "slope": shares["slope"]}
    for curve in CURVES:
        of_curve = shares[[f"{curve} {threshold}" for threshold in THRESHOLDS]]
        row[curve] = f"{of_curve.min():.3f}-{of_curve.max():.3f}"
    return row


def draw(
    generator: np.random.Generator, slides: int, unequal: bool = False, with_positives: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, probabilities and slides of about PATCHES patches for each slide."""
    sizes = np.full(slides, PATCHES)
    if unequal:
        sizes = generator.poisson(PATCHES * generator.gamma(1.5, 1 / 1.5, slides)) + 2
    negative = generator.random(slides) >= with_positives
    centre = np.where(negative, -2.5, generator.normal(-0.5, 1.5, slides))
    of = np.repeat(np.arange(slides), sizes)
    logits = generator.normal(centre[of], 1.5)
    chance = expit(0.3 + 0.8 * logits + generator.normal(0, 0.7, slides)[of])
    return ((generator.random(len(of)) < chance) & ~negative[of]).astype(int), expit(logits), of


def intervals(labels: np.ndarray, probabilities: np.ndarray, slides: np.ndarray) -> pd.DataFrame:
    """`value,low,high` of each statistic."""
    weak = weak_calibration(labels, probabilities, slides)
    rows = {"intercept": weak.intercept, "slope": weak.slope}
    for row in decision_curve(labels, probabilities, slides, THRESHOLDS).to_dict("records"):
        for curve in CURVES:
            values = (row[curve], row[f"{curve}_low"], row[f"{curve}_high"])
            rows[f"{curve} {row['threshold']}"] = values
    return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])


if __name__ == "__main__":
    main()
