import pytest
import safetensors.torch
import torch


def without_head(state: dict) -> dict:
    return {key: value for key, value in state.items() if not key.startswith("fc.")}


SAVERS = {".pth": torch.save, ".pt": torch.save, ".safetensors": safetensors.torch.save_file}


@pytest.mark.parametrize("suffix", SAVERS)
@pytest.mark.parametrize("head", [True, False])
def test_weights_are_read_from_a_file(make, same, tmp_path, resnet_state, suffix, head):
    path = str(tmp_path / f"weights{suffix}")
    SAVERS[suffix](resnet_state if head else without_head(resnet_state), path)
    assert same(make(weights=path).features.state_dict(), without_head(resnet_state))


def test_the_model_of_a_run_is_a_file_of_weights_too(make, same, tmp_path):
    """The head is drawn anew: it was made for another task."""
    trained = make()
    torch.nn.init.ones_(trained.features.conv1.weight)
    torch.nn.init.ones_(trained.head[1].weight)
    path = str(tmp_path / "model.safetensors")
    safetensors.torch.save_file(trained.state_dict(), path)
    model = make(weights=path)
    assert same(model.features.state_dict(), trained.features.state_dict())
    assert not same(model.head.state_dict(), trained.head.state_dict())


def test_files_without_counters_of_batches_are_taken(make, tmp_path, resnet_state):
    path = str(tmp_path / "old.pth")
    torch.save({k: v for k, v in resnet_state.items() if not k.endswith("num_batches_tracked")}, path)
    features = make(weights=path).features
    assert torch.equal(features.conv1.weight, resnet_state["conv1.weight"])


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda state: state.pop("conv1.weight"), "lacks 1 of 120 weights"),
        (lambda state: state.update({"extra.weight": torch.ones(1)}), "has unknown 1 of 120 weights"),
        (
            lambda state: state.update({"conv1.weight": torch.ones(64, 1, 7, 7)}),
            "has another shape for 1 of 120 weights",
        ),
    ],
)
def test_weights_of_another_architecture_are_named(fault, tmp_path, resnet_state, spoil, told):
    spoil(resnet_state)
    path = str(tmp_path / "weights.pth")
    torch.save(resnet_state, path)
    message = fault(weights=path)
    assert message.startswith(f"{path}: {told} of this backbone, the first is ")
    assert "'conv1.weight'" in message or "'extra.weight'" in message


def test_weights_of_another_backbone_are_refused(fault, tmp_path, resnet_state):
    path = str(tmp_path / "weights.pth")
    torch.save(resnet_state, path)
    message = fault(backbone="efficientnet_b0", weights=path)
    assert "give weights of the same architecture" in message


@pytest.mark.parametrize("suffix", SAVERS)
@pytest.mark.parametrize("content", [b"", b"no weights at all, whatever the name says"])
def test_a_broken_file_of_weights_is_one_line(fault, tmp_path, suffix, content):
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    assert fault(weights=str(path)).startswith(f"{path}: not a file of weights")


@pytest.mark.parametrize("content", [{"model": {"conv1.weight": torch.ones(1)}}, [torch.ones(1)]])
def test_a_file_of_something_else_is_one_line(fault, tmp_path, content):
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    assert fault(weights=str(path)).startswith(f"{path}: holds no plain state dict")


def test_a_missing_file_of_weights_is_one_line(fault):
    message = fault(weights="imagnet")
    assert message == "weights: 'imagnet' is neither `imagenet`, `none` nor a file"


@pytest.mark.input("Weights", "Weights that are not finite", "refused: how many, and the first by name")
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_weights_that_are_not_finite_are_named(fault, tmp_path, resnet_state, bad):
    """A training from them could only diverge, whatever its learning rate."""
    resnet_state["layer1.0.bn1.running_var"][3] = bad
    path = str(tmp_path / "weights.pth")
    torch.save(resnet_state, path)
    message = fault(weights=path)
    assert message.startswith(
        f"{path}: 1 of 120 weights are not finite, the first is 'layer1.0.bn1.running_var'"
    )


def test_a_head_that_is_left_out_may_be_anything(make, tmp_path, resnet_state):
    resnet_state["fc.weight"][0] = torch.nan
    torch.save(resnet_state, tmp_path / "weights.pth")
    assert make(weights=str(tmp_path / "weights.pth"))
