"""How much the highest of several AUROCs promises too much, and what correcting it leaves, by simulation.

    python benchmarks/choice.py

Models are compared on the same simulated slides, as in coverage.py, and the one with the highest AUROC is
chosen. The AUROC that all its patches of other slides would have is known. The models are equally good, or
differ evenly by 0.04 in all.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import numpy as np
from coverage import COMMON, DATA, simulate
from machine import describe_machine, table
from scipy.stats import norm

from histopatch.statistics.area import auroc
from histopatch.statistics.selection import auroc_of_the_choice, enough_to_correct

MODELS, AREA, PATCHES = 12, 0.9, 25
KINDS = ("clustered", "unequal sizes", "few positive", "one class each")
SLIDES = (4, 10, 20, 50)
RANGES = {"equal": 0.0, "different": 0.04}  # of the models' AUROCs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=100, help="per row of the table")
    simulations = parser.parse_args().simulations
    print(f"{describe_machine()}\n")
    rows = [
        optimism(kind, slides, models, simulations)
        for kind in KINDS
        for slides in SLIDES
        for models in RANGES
    ]
    print(table(rows))


def optimism(
    kind: str, slides: int, models: str = "equal", simulations: int = 100, resamples: int = 100
) -> dict:
    """A row of the table: means over the simulations of the AUROC of the chosen model.

    `truth` is its AUROC on other slides, `highest` that on the slides that chose it, and `corrected` what
    the correction makes of it; `given` is the share of simulations with enough slides to give it.
    """
    generator = np.random.default_rng(0)
    areas = AREA + RANGES[models] * np.linspace(-0.5, 0.5, MODELS)
    found = []
    for seed in range(simulations):
        labels, _, slide = simulate(generator, slides, PATCHES, AREA, DATA[kind])
        scores = draw(generator, labels, slide, areas, DATA[kind].shared)
        own = [auroc(labels, model) for model in scores]
        corrected = auroc_of_the_choice(labels, scores, slide, resamples=resamples, seed=seed)
        if corrected is not None:
            found.append((areas[np.argmax(own)], max(own), corrected, enough_to_correct(labels, slide)))
    means = zip(
        ("truth", "highest", "corrected", "given"),
        np.mean(found or [[np.nan] * 4], axis=0).tolist(),
        strict=True,
    )
    return {"slides differ": kind, "slides": slides, "models": models} | dict(means)


def draw(
    generator: np.random.Generator, labels: np.ndarray, slide: np.ndarray, areas: np.ndarray, shared: float
) -> np.ndarray:
    """Scores of K models, K×N, that tend to fail on the same patches and on the same slides."""
    noise = []
    for size in (slide.max() + 1, len(labels)):
        common, own = generator.normal(size=size), generator.normal(size=(len(areas), size))
        noise.append(np.sqrt(COMMON) * common + np.sqrt(1 - COMMON) * own)
    of_slides, of_patches = noise
    scores = np.sqrt(2) * norm.ppf(areas)[:, None] * labels
    return scores + np.sqrt(shared) * of_slides[:, slide] + np.sqrt(1 - shared) * of_patches


if __name__ == "__main__":
    main()
