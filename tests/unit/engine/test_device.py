import json
import time

import pytest
import torch
from torch import nn

from histopatch.engine.device import Format, choose_device, choose_format, device_name, is_out_of_memory
from histopatch.errors import InputError

CPU = torch.device("cpu")


@pytest.fixture
def settings(settings) -> dict:
    return settings | {"precision": "auto"}


@pytest.fixture
def formats(tmp_path):
    return tmp_path / "formats.json"


class Slow(nn.Module):
    """A model that takes its time for images that are not as it likes them."""

    def __init__(self, likes):
        super().__init__()
        self.likes, self.calls = likes, 0
        self.norm = nn.BatchNorm2d(3)

    def forward(self, images):
        self.calls += 1
        time.sleep(0.005 if self.likes(images) else 0.02)
        return self.norm(images).mean((1, 2, 3))


def is_channels_last(images) -> bool:
    return images.is_contiguous(memory_format=torch.channels_last)


def is_mixed(images) -> bool:
    return torch.is_autocast_enabled("cpu")


def test_a_cpu_is_taken_where_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == CPU
    with pytest.raises(InputError, match=r"^runtime\.device: .* finds no GPU; use `auto`"):
        choose_device("cuda")


def test_a_gpu_is_taken_where_there_is_one_and_nobody_minds(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto").type == choose_device("cuda").type == "cuda"
    assert choose_device("cpu") == CPU


def test_the_name_of_a_cpu_says_how_many_threads_compute():
    """Speeds and bits both depend on them."""
    assert device_name(CPU).endswith(", 1 threads")
    torch.set_num_threads(2)
    assert device_name(CPU).endswith(", 2 threads")


@pytest.mark.parametrize(
    ("likes", "expected"),
    [
        (lambda images: not is_mixed(images) and not is_channels_last(images), ("contiguous", "fp32")),
        (lambda images: is_mixed(images) and is_channels_last(images), ("channels_last", "bf16")),
        (lambda images: is_mixed(images) and not is_channels_last(images), ("contiguous", "bf16")),
        (lambda images: True, ("channels_last", "fp32")),  # a tie: the safe one
    ],
)
def test_the_fastest_format_is_chosen(settings, formats, likes, expected):
    chosen = choose_format(Slow(likes), settings, CPU, formats)
    assert (chosen.layout, chosen.precision) == expected
    # 8 images in 5 ms and more; remembered along with the format
    assert 10 < chosen.images_per_second < 8 / 0.005
    again = choose_format(Slow(likes), settings, CPU, formats)
    assert again.images_per_second == pytest.approx(chosen.images_per_second, rel=0.01)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_precision_that_is_asked_for_is_taken_however_slow(settings, formats, precision):
    model = Slow(lambda images: is_mixed(images) == (precision == "fp32"))
    assert choose_format(model, settings | {"precision": precision}, CPU, formats).precision == precision


def test_fp16_needs_a_gpu(settings, formats):
    with pytest.raises(InputError, match=r"^precision: `fp16` needs a GPU"):
        choose_format(Slow(is_mixed), settings | {"precision": "fp16"}, CPU, formats)


def test_what_was_measured_is_remembered(settings, formats):
    """A second measurement might come out otherwise, and the run with other bits."""
    choose_format(Slow(is_mixed), settings, CPU, formats)
    other = Slow(lambda images: not is_mixed(images))
    assert choose_format(other, settings, CPU, formats).precision == "bf16"
    assert other.calls == 0


@pytest.mark.parametrize(
    "change",
    [
        {"backbone": "efficientnet_b0"},
        {"image_size": 48},
        {"batch_size": 4},
        {"freeze_backbone": True},
        {"precision": "fp32"},
    ],
)
def test_another_model_is_measured_anew_beside_the_first(settings, formats, change):
    choose_format(Slow(is_mixed), settings, CPU, formats)
    other = Slow(lambda images: not is_mixed(images))
    assert choose_format(other, settings | change, CPU, formats).precision == "fp32"
    assert len(json.loads(formats.read_text())) == 2
    assert choose_format(other, settings, CPU, formats).precision == "bf16"


def test_settings_that_do_not_change_the_computing_are_not_measured_anew(settings, formats):
    choose_format(Slow(is_mixed), settings, CPU, formats)
    other = Slow(is_mixed)
    choose_format(other, settings | {"lr": 0.5, "epochs": 9, "seed": 1}, CPU, formats)
    assert other.calls == 0


def test_measuring_leaves_the_model_as_it_was(settings, formats):
    model = Slow(is_mixed)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    choose_format(model, settings, CPU, formats)
    after = model.state_dict()
    assert model.calls > 0
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_batch_too_large_for_the_memory_is_measured_in_part(settings, formats, limited_network):
    model = limited_network(3).model
    choose_format(model, settings, CPU, formats)
    assert max(size for size in model.sizes if size <= 3) == 2  # 8 halved
    with pytest.raises(torch.OutOfMemoryError):
        choose_format(limited_network(0).model, settings | {"batch_size": 4}, CPU, formats)


def test_an_error_while_measuring_is_that_error(settings, formats):
    def broken(images):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        choose_format(Slow(broken), settings, CPU, formats)
    assert not formats.exists()


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_a_format_computes_in_its_precision(precision, dtype):
    with Format("contiguous", precision).autocast(CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


def test_a_format_knows_its_layout():
    assert Format("channels_last", "fp32").memory_format == torch.channels_last
    assert Format("contiguous", "fp32").memory_format == torch.contiguous_format


def test_running_out_of_memory_is_told_from_other_errors():
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60)
    assert is_out_of_memory(caught.value)
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
