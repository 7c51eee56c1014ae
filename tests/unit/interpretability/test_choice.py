import numpy as np
import pytest

from histopatch.data.folds import HELD_OUT
from histopatch.evaluation.predictions import Predictions
from histopatch.interpretability.choice import balanced_sample, choose_networks, most_confident


def test_the_sample_has_as_many_patches_of_each_class():
    labels = np.arange(1000) % 10 == 0
    sample = balanced_sample(labels.astype(int), 60)
    assert len(np.unique(sample)) == 120
    assert labels[sample].sum() == 60
    assert (np.diff(sample) > 0).all()
    assert sample.max() > 900  # from everywhere
    assert balanced_sample(labels.astype(int), 60).tolist() == sample.tolist()


def test_all_of_a_rare_class_are_in_the_sample():
    labels = np.array([0] * 50 + [1] * 3)
    assert balanced_sample(labels, 10)[-3:].tolist() == [50, 51, 52]
    assert len(balanced_sample(labels, 10)) == 13


def test_the_most_confident_of_each_kind_come_first():
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1])
    probabilities = np.array([0.4, 0.1, 0.3, 0.6, 0.9, 0.5, 0.8, 0.7, 0.2])
    predictions = Predictions(np.arange(9), labels, probabilities, None, np.zeros(9, int))
    assert most_confident(predictions, 2).tolist() == [1, 2, 4, 3, 6, 7, 8]
    assert most_confident(predictions, 9).tolist() == [1, 2, 0, 4, 3, 6, 7, 5, 8]


def test_a_network_explains_what_it_did_not_train_on():
    folds = np.array([0, 1, 1, 0, 1])
    assert choose_networks(folds, [0, 1]).tolist() == [0, 1, 1, 0, 1]
    assert choose_networks(folds, [1, 0]).tolist() == [1, 0, 0, 1, 0]


@pytest.mark.parametrize("validated", [[0, 1, 2], [0, 0, 0]])
def test_several_networks_take_turns(validated):
    assert choose_networks(np.full(5, HELD_OUT), validated).tolist() == [0, 1, 2, 0, 1]


def test_several_networks_of_one_fold_take_turns_there():
    folds = np.array([0, 0, 0, 1, 1])
    assert choose_networks(folds, [0, 1, 0, 1]).tolist() == [0, 2, 0, 1, 3]
