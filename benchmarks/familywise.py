"""How often a study of equally good models calls one of them lower than the best, by simulation.

    python benchmarks/familywise.py [--simulations 1000]

All models have the same true AUROC of 0.9 and tend to fail on the same patches. A study errs where the test
of any model against the best one, as its table has it, has p ≤ 0.05.
"""

import argparse
import itertools

import numpy as np
from coverage import DATA, simulate
from machine import describe_machine, table

from histopatch.statistics.auroc import auroc, contrasts_by_slide
from histopatch.statistics.multiplicity import ALPHA

AREA = 0.9
CASES = {"clustered": (10, 20, 100), "few positive": (20, 100), "unequal sizes": (20, 100)}
MODELS = (2, 4, 10, 20)
OF_SLIDE = 25  # patches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=1000, help="studies per number of the table")
    simulations = parser.parse_args().simulations
    print(f"{describe_machine()}\n", flush=True)
    print(table([row(data, slides, simulations) for data, counts in CASES.items() for slides in counts]))


def row(data: str, slides: int, simulations: int) -> dict:
    """The share of studies that err, in per cent, by the number of their models."""
    generator = np.random.default_rng(0)
    shares = {
        f"{models} models": 100 * np.mean([errs(generator, data, slides, models) for _ in range(simulations)])
        for models in MODELS
    }
    return {"data": data, "slides": slides, **shares}


def errs(generator: np.random.Generator, data: str, slides: int, models: int) -> bool:
    labels, scores, slide = simulate(generator, slides, OF_SLIDE, AREA, DATA[data], models)
    pairs = [*itertools.combinations(range(models), 2)]
    weights = np.array([np.eye(models)[a] - np.eye(models)[b] for a, b in pairs])
    tests = contrasts_by_slide(labels, scores, weights, slide)
    best = int(np.argmax([auroc(labels, of_model) for of_model in scores]))
    return any(test.p_value <= ALPHA for pair, test in zip(pairs, tests, strict=True) if best in pair)


if __name__ == "__main__":
    main()
