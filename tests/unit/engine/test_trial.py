import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import nn

from histopatch.engine import formats as formats_module
from histopatch.engine import trial
from histopatch.engine.trial import choose_format
from histopatch.settings import Settings

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def bf16(monkeypatch, clock):
    """A CPU that has bf16 instructions, so that there are precisions to choose from."""
    monkeypatch.setattr(formats_module, "cpu_has_bf16", lambda: True)


@pytest.fixture
def settings(settings) -> Settings:
    return replace(settings, precision="auto")


@pytest.fixture
def formats(tmp_path):
    return tmp_path / "formats"


class Slow(nn.Module):
    """A model that takes its time for images that are not as it likes them."""

    def __init__(self, likes):
        super().__init__()
        self.likes, self.calls = likes, 0
        self.norm = nn.BatchNorm2d(3)

    def forward(self, images):
        self.calls += 1
        trial.time.now += 0.005 if self.likes(images) else 0.02
        return self.norm(images).mean((1, 2, 3))


def is_channels_last(images) -> bool:
    return images.is_contiguous(memory_format=torch.channels_last)


def is_mixed(images) -> bool:
    return torch.is_autocast_enabled("cpu")


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
    chosen = choose_format(Slow(likes), settings, CPU, 8, formats)
    assert (chosen.layout, chosen.precision) == expected
    # 8 images in 5 ms; remembered along with the format
    assert chosen.images_per_second == pytest.approx(8 / 0.005, rel=0.01)
    again = choose_format(Slow(likes), settings, CPU, 8, formats)
    assert again.images_per_second == pytest.approx(chosen.images_per_second, rel=0.01)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_precision_that_is_asked_for_is_taken_however_slow(settings, formats, precision):
    model = Slow(lambda images: is_mixed(images) == (precision == "fp32"))
    assert (
        choose_format(model, replace(settings, precision=precision), CPU, 8, formats).precision == precision
    )


def test_what_was_measured_is_remembered(settings, formats):
    """A second measurement might come out otherwise, and the run with other bits."""
    choose_format(Slow(is_mixed), settings, CPU, 8, formats)
    other = Slow(lambda images: not is_mixed(images))
    assert choose_format(other, settings, CPU, 8, formats).precision == "bf16"
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
    choose_format(Slow(is_mixed), settings, CPU, 8, formats)
    other = Slow(lambda images: not is_mixed(images))
    assert choose_format(other, replace(settings, **change), CPU, 8, formats).precision == "fp32"
    assert len(list(formats.glob("*.json"))) == 2
    assert choose_format(other, settings, CPU, 8, formats).precision == "bf16"


def test_settings_that_do_not_change_the_computing_are_not_measured_anew(settings, formats):
    choose_format(Slow(is_mixed), settings, CPU, 8, formats)
    other = Slow(is_mixed)
    choose_format(other, replace(settings, lr=0.5, epochs=9, seed=1), CPU, 8, formats)
    assert other.calls == 0


def test_measuring_leaves_the_model_as_it_was(settings, formats):
    model = Slow(is_mixed)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    choose_format(model, settings, CPU, 8, formats)
    after = model.state_dict()
    assert model.calls > 0
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_batch_too_large_for_the_memory_is_measured_in_part(settings, formats, limited_network):
    model = limited_network(3).model
    choose_format(model, settings, CPU, 8, formats)
    assert max(size for size in model.sizes if size <= 3) == 2  # 8 halved
    with pytest.raises(torch.OutOfMemoryError):
        choose_format(limited_network(0).model, replace(settings, batch_size=4), CPU, 8, formats)


def test_an_error_while_measuring_is_that_error(settings, formats):
    def broken(images):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        choose_format(Slow(broken), settings, CPU, 8, formats)
    assert not [*formats.glob("*.json")]


def test_the_real_micro_batch_is_tried(settings, formats):
    model, sizes = Slow(is_mixed), set()
    model.register_forward_pre_hook(lambda module, inputs: sizes.add(len(inputs[0])))
    choose_format(model, settings, CPU, 5, formats)
    assert sizes == {5}


def test_what_is_far_behind_is_tried_once(settings, formats):
    calls = []

    class Counted(Slow):
        def forward(self, images):
            calls.append((is_channels_last(images), is_mixed(images)))
            return super().forward(images)

    choose_format(Counted(lambda images: not is_mixed(images)), settings, CPU, 8, formats)
    assert calls.count((True, True)) == calls.count((False, True)) == 1
    assert calls.count((False, False)) == 3


def test_a_file_says_what_it_was_measured_for(settings, formats):
    choose_format(
        Slow(lambda images: is_mixed(images) and is_channels_last(images)), settings, CPU, 8, formats
    )
    (path,) = formats.glob("*.json")
    assert path.name.startswith("resnet18-32px-batch-8-")
    known = json.loads(path.read_text())
    assert known["measured_for"]["backbone"] == "resnet18"
    assert known["measured_for"]["torch"] == torch.__version__
    assert (known["layout"], known["precision"]) == ("channels_last", "bf16")
    assert len(known["images_per_second"]) == 4


def test_jobs_that_start_at_the_same_time_compute_in_the_same_format(settings, formats, monkeypatch):
    """Though each would find another one fastest."""
    measured = []

    def measure(model, tried, *others):
        measured.append(tried[len(measured) % 2])
        threading.Event().wait(0.3)
        return {compute: 2.0 if compute == measured[-1] else 1.0 for compute in tried}

    monkeypatch.setattr(trial, "_measure", measure)
    with ThreadPoolExecutor(4) as jobs:
        started = [jobs.submit(choose_format, Slow(is_mixed), settings, CPU, 8, formats) for _ in range(4)]
    assert len(measured) == 1
    assert len({str(job.result()) for job in started}) == 1
