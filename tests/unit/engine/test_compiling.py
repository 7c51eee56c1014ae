import pytest
import torch

from histopatch.engine.compiling import compile_network, worth_compiling

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("images", "speed", "worth"),
    [
        (2_000, 300, False),  # the demo
        (187_000, 10_000, False),  # 20 s of training cannot win back a minute
        (561_000, 1_000, True),
    ],
)
def test_only_long_trainings_are_worth_compiling(images, speed, worth):
    assert worth_compiling(images, speed) == worth


@pytest.fixture
def compiled(network, monkeypatch, clock):
    """Compile a network whose plain model takes its time, with a graph that takes `seconds`."""

    def passes(seconds: float) -> None:
        clock.now += seconds

    def run(seconds: float | None):
        net = network()
        net.model.register_forward_pre_hook(lambda module, inputs: passes(0.01))

        def graph(images):
            if seconds is None:
                raise RuntimeError("no compiler\nand many more lines")
            passes(seconds)
            return images.mean((1, 2, 3)) * next(net.model.parameters()).sum()

        monkeypatch.setattr(torch, "compile", lambda model, **options: graph)
        before = {name: value.clone() for name, value in net.model.state_dict().items()}
        compile_network(net, 8, CPU)
        assert all(torch.equal(value, before[name]) for name, value in net.model.state_dict().items())
        assert all(parameter.grad is None for parameter in net.model.parameters())
        return net, graph

    return run


def test_a_faster_graph_is_taken(compiled):
    network, graph = compiled(0.0)
    assert network.compiled is graph
    assert network.compiled_batch == 8


@pytest.mark.parametrize("seconds", [0.05, None], ids=["slower", "fails"])
def test_training_goes_on_without_a_graph_that_is_slower_or_fails(compiled, seconds):
    network, _ = compiled(seconds)
    assert network.compiled is None


def test_a_graph_that_fails_on_its_way_back_leaves_nothing_behind(network, monkeypatch):
    """Neither statistics of batch normalisation nor gradients, which the first step would add to its own."""
    net = network()

    def graph(images):
        net.model(images).sum().backward()
        raise RuntimeError("no kernel")

    monkeypatch.setattr(torch, "compile", lambda model, **options: graph)
    before = {name: value.clone() for name, value in net.model.state_dict().items()}
    compile_network(net, 8, CPU)
    assert net.compiled is None
    assert all(torch.equal(value, before[name]) for name, value in net.model.state_dict().items())
    assert all(parameter.grad is None for parameter in net.model.parameters())
