"""Labels, scores and slides that the tests of several statistics start from."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def predictions():
    """Labels, scores and slides of N patches: slides share some of the score; rounding makes ties."""

    def make(patches: int, slides: int = 7, decimals: int = 1, seed: int = 0):
        generator = np.random.default_rng(seed)
        slide = generator.integers(slides, size=patches)
        labels = generator.integers(0, 2, patches)
        labels[:2] = (0, 1)
        shared = generator.normal(size=slides)[slide]
        scores = np.round(labels + shared / 2 + generator.normal(size=patches), decimals)
        return labels, scores, np.array([f"slide {code}" for code in slide])

    return make


@pytest.fixture
def overconfident():
    """Labels drawn from the logits, and the probabilities of a model that doubles them."""

    def make(patches: int, temperature: float = 2.0, seed: int = 0):
        generator = np.random.default_rng(seed)
        logits = generator.normal(0, 2, patches)
        labels = (generator.random(patches) < expit(logits)).astype(int)
        return labels, expit(temperature * logits)

    return make


@pytest.fixture
def benchmark(monkeypatch):
    """Load one of the benchmarks as a module."""

    def load(name: str):
        monkeypatch.syspath_prepend(BENCHMARKS)
        spec = importlib.util.spec_from_file_location(f"benchmark_{name}", BENCHMARKS / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def coverage(benchmark):
    """The benchmark of coverage as a module."""
    return benchmark("coverage")
