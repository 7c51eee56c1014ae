"""Confident learning: labels that predictions of patches that were not trained on contradict with confidence.

C. G. Northcutt, L. Jiang, I. L. Chuang: Confident learning: estimating uncertainty in dataset labels. Journal
of Artificial Intelligence Research 70, 2021. What the paper calls out-of-sample probabilities are those of
networks that did not train on the patch: the out-of-fold and the held-out ones.
"""

import numpy as np

from histopatch.statistics.checks import binary_labels, valid_probabilities


def self_confidence(labels, probabilities) -> np.ndarray:
    """The probability of each patch's label; N labels of 0 and 1, and N probabilities of label 1."""
    labels = binary_labels(labels)
    probabilities = valid_probabilities(probabilities, len(labels))
    return np.where(labels, probabilities, 1 - probabilities)


def suspect_labels(labels, probabilities) -> np.ndarray:
    """Which patches count as label errors (N booleans): the off-diagonal of the confident joint.

    A patch does if the other label is the more probable one, and no less probable than that label is on
    average among the patches that have it. The second condition makes the rule robust to a model that is
    too sure of itself or to classes of different sizes. labels: N of 0 and 1, both present; probabilities:
    N, of label 1, from networks that did not train on the patch.
    """
    labels = binary_labels(labels, both=True)
    own = self_confidence(labels, probabilities)
    other = 1 - own
    average_of_other = np.where(labels, own[~labels].mean(), own[labels].mean())
    return (other > own) & (other >= average_of_other)
