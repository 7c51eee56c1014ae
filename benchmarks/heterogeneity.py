"""Level by simulation of the test that groups of patches have the same AUROC.

    python benchmarks/heterogeneity.py

Slides have 30 patches of one group, or some 15 of every group where groups share slides, and explain 30 % of
the variance of the score within each class. All groups have the same AUROC.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import numpy as np
from machine import describe_machine, table
from scipy.special import ndtri

from histopatch.statistics.heterogeneity import heterogeneity

AREAS = (0.8, 0.95, 0.995)
OWN = ((2, 3), (2, 5), (2, 10), (3, 5), (5, 5), (3, 10), (5, 10), (10, 10), (3, 30))  # groups, slides of each
SHARED = ((2, 5), (2, 10), (4, 8), (4, 12), (4, 20), (4, 50))  # groups, slides of all
PATCHES, WITHIN = 30, 0.3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=400, help="per row of the table")
    simulations = parser.parse_args().simulations
    print(f"{describe_machine()}\n")
    generator = np.random.default_rng(1)
    print(
        table(
            [
                level(generator, area, *sizes, shared, simulations)
                for area in AREAS
                for shared, kinds in ((False, OWN), (True, SHARED))
                for sizes in kinds
            ]
        )
    )


def level(generator, area: float, groups: int, slides: int, shared: bool, simulations: int) -> dict:
    """The share of simulations with p < 0.05, of those in which there is a test at all."""
    found = [
        heterogeneity(*draw(generator, area, groups, slides, shared)).p_value for _ in range(simulations)
    ]
    p_values = np.array([p_value for p_value in found if not np.isnan(p_value)])
    return {
        "AUROC": area,
        "groups": groups,
        "slides": f"{slides} {'of all' if shared else 'of each'}",
        "tested": f"{len(p_values) / simulations:.0%}",
        "p < 0.05": f"{np.mean(p_values < 0.05):.1%}" if len(p_values) else "-",
    }


def draw(generator, area: float, groups: int, slides: int, shared: bool):
    """Labels, scores, groups and slides of patches whose AUROC is the same in all groups."""
    parts = []
    for slide in range(slides if shared else groups * slides):
        count = PATCHES * groups // 2 if shared else PATCHES
        share = generator.beta(2, 2)  # of positives
        labels = generator.random(count) < share
        group = generator.integers(0, groups, count) if shared else np.full(count, slide // slides)
        of_slide = generator.normal(size=2) * np.sqrt(WITHIN)
        scores = ndtri(area) * np.sqrt(2) * labels + of_slide[labels.astype(int)]
        scores += generator.normal(size=count) * np.sqrt(1 - WITHIN)
        parts.append((labels, scores, group, np.full(count, slide)))
    labels, scores, group, slide = map(np.concatenate, zip(*parts, strict=True))
    return labels.astype(int), scores, group.astype(str), slide


if __name__ == "__main__":
    main()
