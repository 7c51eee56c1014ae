import pytest
import torch

from histopatch.augmentation.draws import Draws
from histopatch.augmentation.geometry import flip_rotate
from histopatch.augmentation.prepare import prepare
from histopatch.backbones.catalogue import IMAGENET_MEAN, IMAGENET_STD
from histopatch.engine.network import evaluation_batch, symmetries

ROWS = torch.tensor([5, 0, 40, 17, 3, 29, 8])


def expected_logits(network, data, rows=ROWS, draws=None):
    pixels = torch.from_numpy(data.pixels)[rows]
    with torch.no_grad():
        return network.model.eval()(prepare(pixels, 32, IMAGENET_MEAN, IMAGENET_STD, draws))


def test_patches_go_through_preparation_and_model(network, data):
    network = network()
    logits = network.logits(torch.from_numpy(data.pixels)[ROWS])
    assert torch.allclose(logits, expected_logits(network, data), atol=1e-6)
    assert logits.requires_grad  # this is what training calls


def test_draws_augment_the_patches(network, data):
    network = network()
    draws = Draws(flip_rotate(torch.linspace(-1, 1, len(ROWS)), torch.ones(len(ROWS), 2)))
    logits = network.logits(torch.from_numpy(data.pixels)[ROWS], draws)
    assert torch.allclose(logits, expected_logits(network, data, draws=draws), atol=1e-6)
    assert not torch.allclose(logits, expected_logits(network, data), atol=1e-6)


def test_patches_are_resized_to_the_size_of_the_network(network, data):
    network, sizes = network(), []
    network.image_size = 48
    network.model.register_forward_pre_hook(lambda module, inputs: sizes.append(inputs[0].shape[2:]))
    network.logits(torch.from_numpy(data.pixels)[ROWS])
    assert sizes == [(48, 48)]


def test_mixed_precision_computes_lower_and_answers_in_float32(network, data):
    pixels = torch.from_numpy(data.pixels)[ROWS]
    exact, mixed = network().logits(pixels), network(precision="bf16").logits(pixels)
    assert mixed.dtype == torch.float32
    assert torch.allclose(mixed, exact, atol=0.05)
    assert not torch.equal(mixed, exact)


@pytest.mark.parametrize("micro_batch", [1, 2, 64])
def test_predictions_are_in_the_order_of_the_rows(network, data, micro_batch):
    network = network(norm=True)
    logits = network.predict(data.patches, ROWS, micro_batch)
    assert logits.shape == (len(ROWS),)
    assert torch.allclose(logits, expected_logits(network, data), atol=1e-6)


def test_predicting_does_not_train(network, data):
    """No dropout, no statistics of the batch, no gradients."""
    network = network(dropout=0.5, norm=True)
    network.model.train()
    before = {name: value.clone() for name, value in network.model.state_dict().items()}
    first = network.predict(data.patches, ROWS, 2)
    network.model.train()
    assert torch.equal(network.predict(data.patches, ROWS, 2), first)
    assert all(torch.equal(value, before[name]) for name, value in network.model.state_dict().items())
    assert not first.requires_grad


@pytest.mark.parametrize(
    ("device", "trains", "size", "evaluated"),
    [("cpu", 16, 64, 64), ("cpu", 64, 96, 192), ("cpu", 64, 224, 64), ("cuda", 64, 224, 256)],
)
def test_more_is_evaluated_than_trains_at_a_time_as_far_as_it_is_no_slower(device, trains, size, evaluated):
    assert evaluation_batch(trains, size, torch.device(device)) == evaluated


@pytest.mark.parametrize("patches", [1, 3])
def test_less_is_predicted_at_a_time_where_memory_is_short(limited_network, data, patches):
    network = limited_network(patches)
    logits = network.predict(data.patches, ROWS, 4)
    network.model.patches = len(ROWS)
    assert torch.allclose(logits, expected_logits(network, data), atol=1e-6)


def test_memory_for_not_even_one_patch_is_an_error(limited_network, data):
    with pytest.raises(torch.OutOfMemoryError):
        limited_network(0).predict(data.patches, ROWS, 4)


def test_any_other_error_is_not_tried_again(network, data, tiny):
    calls = []

    class Broken(tiny):
        def forward(self, images):
            calls.append(len(images))
            raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        network(Broken()).predict(data.patches, ROWS, 4)
    assert len(calls) == 1


def test_a_compiled_graph_is_for_full_batches_of_training_only(network, data):
    """Every other shape would be compiled anew."""
    network, sizes = network(), []

    def graph(images):
        sizes.append(len(images))
        return network.model(images)

    network.compiled, network.compiled_batch = graph, 4
    pixels = torch.from_numpy(data.pixels)
    network.model.train()
    for count in (4, 3, 1):
        network.logits(pixels[:count])
    network.model.eval()
    network.logits(pixels[:4])
    network.predict(data.patches, ROWS, 1)
    assert sizes == [4]


def test_the_eight_symmetries_are_eight_views_of_a_patch(data):
    patch = torch.from_numpy(data.pixels[:1])
    views = symmetries(patch)
    assert torch.equal(views[0], patch)
    assert len(torch.unique(torch.cat(views).flatten(1), dim=0)) == 8
    # A view of a view is one of the eight.
    again = torch.unique(torch.cat([v for view in views for v in symmetries(view)]).flatten(1), dim=0)
    assert len(again) == 8


def test_with_test_time_augmentation_the_logit_is_the_mean_over_the_views(network, data):
    rows = torch.arange(5)
    plain, mean = network(), network()
    mean.symmetries = True
    plain.model.eval()
    pixels = torch.from_numpy(data.pixels[:5])
    with torch.no_grad():
        expected = torch.stack([plain.logits(view) for view in symmetries(pixels)]).mean(0)
    found = mean.predict(data.patches, rows, 2)
    assert torch.allclose(found, expected, atol=1e-5)
    assert not torch.allclose(found, plain.predict(data.patches, rows, 2), atol=1e-4)
