from dataclasses import replace

import numpy as np
import pytest
import torch

from histopatch.engine.patches import Patches
from histopatch.interpretability.explanation import explain
from histopatch.interpretability.grad_cam import evidence_maps
from histopatch.interpretability.occlusion import without_border, without_centre
from histopatch.interpretability.shares import centre_shares

ROWS = np.array([7, 0, 5, 2, 9])


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (10, 96, 96, 3), np.uint8)


@pytest.fixture
def patches(tmp_path, pixels) -> Patches:
    np.save(tmp_path / "pack.npy", pixels)
    return Patches(str(tmp_path / "pack.npy"), torch.device("cpu"))


def test_logits_are_of_the_patch_and_of_its_occluded_versions(small_network, patches, pixels):
    found = explain(small_network, patches, ROWS, batch_size=2).logits
    given = torch.from_numpy(pixels[ROWS])
    for column, version in enumerate((given, without_centre(given), without_border(given))):
        expected = small_network.logits(version).detach().numpy()
        assert found[:, column] == pytest.approx(expected, abs=1e-5)


def test_the_evidence_is_for_the_class_that_the_network_predicts(small_network, patches, pixels):
    linear = small_network.model.head[1]
    with torch.no_grad():  # so that some are predicted as positive and some as negative
        linear.bias -= small_network.logits(torch.from_numpy(pixels[ROWS])).median()
    found = explain(small_network, patches, ROWS, batch_size=5)
    positive = found.logits[:, 0] > 0
    assert {*positive} == {True, False}
    for places, label in ((positive, True), (~positive, False)):
        given = torch.from_numpy(pixels[ROWS[places]])
        evidence = evidence_maps(small_network, given, torch.full((len(given),), label)).numpy()
        assert found.centre_share[places] == pytest.approx(centre_shares(evidence, 96), abs=1e-4)


def test_the_network_is_the_plain_one_in_evaluation_mode(small_network, patches):
    before = explain(small_network, patches, ROWS, batch_size=5)
    small_network.symmetries = True
    small_network.model.train()
    after = explain(small_network, patches, ROWS, batch_size=5)
    assert np.array_equal(before.logits, after.logits)


def test_batches_change_nothing(small_network, patches):
    together, apart = (explain(small_network, patches, ROWS, size) for size in (5, 2))
    for one, other in zip(together, apart, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_a_network_without_feature_maps_is_occluded_all_the_same(small_network, patches, caplog):
    expected = explain(small_network, patches, ROWS, batch_size=5).logits
    small_network.model.backbone = replace(small_network.model.backbone, explained_layer="flat")
    found = explain(small_network, patches, ROWS, batch_size=5)
    assert np.isnan(found.centre_share).all()
    assert not found.maps.any()
    assert found.logits == pytest.approx(expected)
    assert "no Grad-CAM: flat: no feature maps, but [5, 16]" in caplog.text


def test_maps_cover_the_patch_and_the_share_is_that_of_the_centre(small_network, patches):
    found = explain(small_network, patches, ROWS, batch_size=5)
    assert (found.maps.shape, found.maps.dtype) == ((5, 96, 96), np.float32)
    share = found.maps[:, 32:64, 32:64].sum(axis=(1, 2)) / found.maps.sum(axis=(1, 2))
    assert found.centre_share == pytest.approx(share, abs=0.02)  # enlarged smoothly, not by the cell
