import os
import pickle
from pathlib import Path

import pytest
import safetensors.torch
import torch
import torchvision


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


@pytest.mark.input(
    "Weights", "weights of another architecture", "refused, with the first weight that differs"
)
def test_weights_of_another_backbone_are_refused(fault, tmp_path, resnet_state):
    path = str(tmp_path / "weights.pth")
    torch.save(resnet_state, path)
    message = fault(backbone="efficientnet_b0", weights=path)
    assert "give weights of the same architecture" in message


@pytest.mark.input(
    "Weights",
    "a backbone that is a part of a network, names behind `module.`, `_orig_mod.`, `model.`, `encoder.` …",
    "read; the rest of the network is left out",
)
@pytest.mark.parametrize(
    "lead",
    [
        "module.",
        "_orig_mod.",
        "module._orig_mod.",
        "model.",
        "backbone.",
        "encoder.",
        "model.encoder.module.",
    ],
)
def test_a_backbone_is_found_within_a_network(make, same, tmp_path, resnet_state, lead):
    path = str(tmp_path / "weights.pth")
    rest = {"projection.weight": torch.ones(3, 512), "criterion.weight": torch.ones(1)}
    torch.save(rest | {f"{lead}{name}": value for name, value in resnet_state.items()}, path)
    assert same(make(weights=path).features.state_dict(), without_head(resnet_state))


@pytest.mark.input(
    "Weights", "a backbone that is there twice, as `student.` and `teacher.`", "refused: which one is meant"
)
def test_of_two_backbones_none_is_chosen(fault, tmp_path, resnet_state):
    path = str(tmp_path / "weights.pth")
    torch.save({f"{lead}{k}": v for lead in ("student.", "teacher.") for k, v in resnet_state.items()}, path)
    assert fault(weights=path).startswith(
        f"{path}: holds this backbone 2 times, as 'student.' and 'teacher.'; save"
    )


def test_a_weight_that_is_there_twice_is_refused(fault, tmp_path, resnet_state):
    path = str(tmp_path / "weights.pth")
    torch.save(resnet_state | {"module.conv1.weight": resnet_state["conv1.weight"] + 1}, path)
    assert fault(weights=path).startswith(f"{path}: has unknown 1 of 120 weights")


@pytest.mark.input("Weights", "a head for another number of classes", "left out; the head is drawn anew")
def test_the_head_may_have_any_number_of_classes(make, same, tmp_path, resnet_state):
    path = str(tmp_path / "weights.pth")
    heads = {"model.fc.0.weight": torch.ones(4, 512), "model.fc.3.bias": torch.ones(4)}
    torch.save({f"model.{k}": v for k, v in without_head(resnet_state).items()} | heads, path)
    assert same(make(weights=path).features.state_dict(), without_head(resnet_state))


@pytest.mark.input("Weights", "a first layer for images of one channel", "refused, with both shapes")
def test_both_shapes_are_named(fault, tmp_path, resnet_state):
    path = str(tmp_path / "weights.pth")
    torch.save(resnet_state | {"conv1.weight": torch.ones(64, 1, 7, 7)}, path)
    assert "the first is 'conv1.weight' (64×1×7×7, not 64×3×7×7); give" in fault(weights=path)


@pytest.mark.input(
    "Weights", "a checkpoint: a state dict under `state_dict`, `model_state_dict` or `model`", "read"
)
@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
def test_the_state_dict_of_a_checkpoint_is_found(make, same, tmp_path, resnet_state, key):
    path = str(tmp_path / "checkpoint.pth")
    beside = {"epoch": 3, "loss": 0.5, "arch": "resnet18", "optimizer": {"state": {}, "param_groups": [{}]}}
    torch.save(beside | {key: resnet_state}, path)
    assert same(make(weights=path).features.state_dict(), without_head(resnet_state))


@pytest.mark.input("Weights", "a checkpoint with several state dicts", "refused: which one is meant")
def test_of_several_state_dicts_none_is_chosen(fault, tmp_path, resnet_state):
    path = str(tmp_path / "checkpoint.pth")
    torch.save({"model": resnet_state, "state_dict": resnet_state}, path)
    assert fault(weights=path).startswith(f"{path}: holds state_dict and model; ")


@pytest.mark.input("Weights", "float16, bfloat16 or float64", "read as float32")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_become_float32(make, tmp_path, resnet_state, dtype):
    path = str(tmp_path / "weights.pth")
    floats = {k: v.to(dtype) if v.is_floating_point() else v for k, v in resnet_state.items()}
    torch.save(floats, path)
    read = make(weights=path).features.state_dict()
    assert all(v.dtype != dtype for v in read.values())
    assert torch.equal(read["conv1.weight"], floats["conv1.weight"].float())


@pytest.mark.parametrize(
    ("value", "told"),
    [
        pytest.param(
            torch.full((64, 3, 7, 7), torch.nan),
            "has NaN or infinite values",
            marks=pytest.mark.input(
                "Weights", "NaN or infinite values", "refused, with the name of the weight"
            ),
        ),
        (torch.full((64, 3, 7, 7), -torch.inf), "has NaN or infinite values"),
        (torch.full((64, 3, 7, 7), 1e300, dtype=torch.float64), "has NaN or infinite values as float32"),
        pytest.param(
            torch.ones((64, 3, 7, 7), dtype=torch.complex64),
            "is no plain float (complex64)",
            marks=pytest.mark.input("Weights", "complex, integer or sparse weights", "refused"),
        ),
        (torch.ones((64, 3, 7, 7), dtype=torch.int8), "is no plain float (int8)"),
        (torch.ones((64, 3, 7, 7)).to_sparse(), "is no plain float"),
        (torch.ones((64, 3, 7, 7), device="meta"), "is no plain float"),
    ],
)
def test_weights_that_are_no_finite_floats_are_named(fault, tmp_path, resnet_state, value, told):
    path = str(tmp_path / "weights.pth")
    torch.save(resnet_state | {"conv1.weight": value}, path)
    assert fault(weights=path).startswith(f"{path}: the weight 'conv1.weight' {told}")


def test_what_the_head_holds_does_not_count(make, tmp_path, resnet_state):
    path = str(tmp_path / "weights.pth")
    torch.save(resnet_state | {"fc.bias": torch.full((1000,), torch.nan)}, path)
    make(weights=path)


@pytest.mark.input(
    "Weights", "safetensors under `.pth`, or `torch.save` under `.safetensors`", "read by content"
)
@pytest.mark.parametrize(
    ("suffix", "save"), [(".pth", safetensors.torch.save_file), (".safetensors", torch.save)]
)
def test_the_suffix_does_not_matter(make, same, tmp_path, resnet_state, suffix, save):
    path = str(tmp_path / f"weights{suffix}")
    save(resnet_state, path)
    assert same(make(weights=path).features.state_dict(), without_head(resnet_state))


@pytest.mark.parametrize("suffix", SAVERS)
@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"", "it is empty", marks=pytest.mark.input("Weights", "an empty file", "refused")),
        pytest.param(
            b"no weights at all, whatever the name says",
            "it starts with b'no weights at al'",
            marks=pytest.mark.input("Weights", "a file of something else", "refused, with its first bytes"),
        ),
        pytest.param(
            b"\n<!DOCTYPE html><html>Not found</html>",
            "it is an HTML page; download the file itself",
            marks=pytest.mark.input("Weights", "an HTML page under the name of the weights", "refused"),
        ),
        pytest.param(
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 46830571\n",
            "it is a pointer of Git LFS; run `git lfs pull`",
            marks=pytest.mark.input("Weights", "a pointer of Git LFS", "refused: run `git lfs pull`"),
        ),
    ],
)
def test_a_broken_file_of_weights_is_one_line(fault, tmp_path, suffix, content, told):
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    assert fault(weights=str(path)) == f"{path}: not a file of weights ({told})"


def save_as_before_zip(state: dict, path: str) -> None:
    torch.save(state, path, _use_new_zipfile_serialization=False)


@pytest.mark.input("Weights", "a file that is cut off", "refused: fetch it again")
@pytest.mark.parametrize("save", [torch.save, save_as_before_zip, safetensors.torch.save_file])
@pytest.mark.parametrize("share", [0.001, 0.5, 0.99])
def test_a_file_that_is_cut_off_is_one_line(fault, tmp_path, resnet_state, save, share):
    path = tmp_path / "weights"
    save(resnet_state, str(path))
    os.truncate(path, int(path.stat().st_size * share))
    message = fault(weights=str(path))
    assert message.startswith(f"{path}: not a file of weights (it")
    assert message.endswith("; fetch it again)") or "it is empty" in message or "it starts with" in message


@pytest.mark.input("Weights", "a zip file that says it spans several", "refused: fetch it again")
def test_a_zip_of_several_files_is_one_line(fault, tmp_path, resnet_state):
    path = tmp_path / "weights.pth"
    torch.save(resnet_state, path)
    content = bytearray(path.read_bytes())
    locator = content.rindex(b"PK\x06\x07")  # of zip64, which ends with the number of files
    content[locator + 16] = 2
    path.write_bytes(content)
    told = "it is damaged or cut off; fetch it again"
    assert fault(weights=str(path)) == f"{path}: not a file of weights ({told})"


@pytest.mark.input("Weights", "a header of safetensors that no file could have", "refused: fetch it again")
@pytest.mark.parametrize(
    "content",
    [
        b"\xff" * 7 + b"\x7f{",  # a header of 2^63 bytes
        (2).to_bytes(8, "little") + b"{}",
        (1).to_bytes(8, "little") + b"{}",
        (26).to_bytes(8, "little") + b'{"a":{"data_offsets":[0]}}',
        (27).to_bytes(8, "little") + b'{"a":{"data_offsets":[0,8]}',
        (100_000).to_bytes(8, "little") + b'{"a":' * 20_000,
    ],
)
def test_an_absurd_header_is_one_line(fault, tmp_path, content):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    told = "its header of safetensors does not fit its size; fetch it again"
    assert fault(weights=str(path)) == f"{path}: not a file of weights ({told})"


class Code:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def pickle_with(protocol: int):
    def save(content, path) -> None:
        Path(path).write_bytes(pickle.dumps(content, protocol=protocol))

    return save


@pytest.mark.input("Weights", "a pickle that would run code", "refused; the code is not run")
@pytest.mark.parametrize("save", [torch.save, save_as_before_zip, *(pickle_with(p) for p in (2, 4, 5))])
def test_code_in_a_file_is_not_run(fault, tmp_path, resnet_state, save):
    path, ran = tmp_path / "weights.pth", tmp_path / "ran"
    save({"state_dict": {}, "code": Code(ran)}, path)
    assert "holds objects with code of their own, which is not run; save `model.state_dict()`" in fault(
        weights=str(path)
    )
    assert not ran.exists()


@pytest.mark.input(
    "Weights", "a whole pickled model instead of its state dict", "refused: save `model.state_dict()`"
)
def test_a_whole_model_is_refused(fault, tmp_path):
    path = tmp_path / "model.pth"
    torch.save(torchvision.models.resnet18(), path)
    assert "holds objects with code of their own" in fault(weights=str(path))


@pytest.mark.parametrize(
    "content", [{"model": {"conv1.weight": 1}}, [torch.ones(1)], {1: torch.ones(1)}, torch.ones(1), None]
)
def test_a_file_of_something_else_is_one_line(fault, tmp_path, content):
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    assert fault(weights=str(path)).startswith(f"{path}: holds no plain state dict")


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ("weights.pth", "is neither `imagenet`, `none` nor a file"),
        pytest.param(
            "ImageNet",
            "is neither `imagenet`, `none` nor a file; did you mean `imagenet`?",
            marks=pytest.mark.input(
                "Weights", "a misspelt name or a missing file", "refused: did you mean …"
            ),
        ),
        ("imagnet", "is neither `imagenet`, `none` nor a file; did you mean `imagenet`?"),
        ("None", "is neither `imagenet`, `none` nor a file; did you mean `none`?"),
        pytest.param(
            "~/weights.pth",
            f"starts with `~`, which only a shell expands; write {os.path.expanduser('~/weights.pth')!r}",
            marks=pytest.mark.input("Weights", "a path that starts with `~`", "refused: the path in full"),
        ),
        (".", "is a folder; name the file in it"),
        ("x" * 5000, "is neither `imagenet`, `none` nor a file"),
        ("nul\0byte", "is neither `imagenet`, `none` nor a file"),
    ],
)
def test_a_missing_file_of_weights_is_one_line(fault, weights, told):
    assert fault(weights=weights) == f"weights: {weights!r} {told}"
