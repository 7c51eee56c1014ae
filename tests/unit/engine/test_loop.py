import copy
import math
from dataclasses import replace

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode

from histopatch.augmentation.draws import draw
from histopatch.augmentation.prepare import prepare
from histopatch.backbones.catalogue import IMAGENET_MEAN, IMAGENET_STD
from histopatch.backbones.classifier import Classifier
from histopatch.engine.loop import fit
from histopatch.errors import InputError

TIMES = ("seconds", "images_per_second")


@pytest.fixture
def trained(network, data, settings):
    """Train a small network; return it with what `fit` returned."""

    def run(
        net=None, state=None, save=lambda state: None, options=None, micro_batch=None, groups=(), **changes
    ):
        net, asked = net or network(**(options or {})), replace(settings, **changes)
        torch.manual_seed(1)  # dropout
        subsets = data.subsets
        subsets["train"].groups = list(groups)
        done, logits = fit(
            net, asked, data.patches, **subsets, micro_batch=micro_batch or asked.batch_size,
            saved=state, save=save,
        )  # fmt: skip
        return net, done, logits

    return run


@pytest.fixture
def steps():
    """What the optimiser is given at each step: learning rate and gradients."""
    seen = []

    def look(optimizer, args, kwargs):
        (group,) = optimizer.param_groups
        seen.append((group["lr"], [parameter.grad.clone() for parameter in group["params"]]))

    handle = register_optimizer_step_pre_hook(look)
    yield seen
    handle.remove()


def facts(done) -> list[dict]:
    """The history without what a clock says."""
    return [{key: value for key, value in row.items() if key not in TIMES} for row in done.history]


def plain_loop(model, settings, data) -> tuple[list[dict], torch.Tensor]:
    """The same training as anyone would write it, a patch's way through it spelled out."""
    train, validation = data.subsets["train"], data.subsets["validation"]
    positives = train.labels.sum()
    weight = (len(train.labels) - positives) / positives if settings.pos_weight else torch.ones(())
    loss_function = nn.BCEWithLogitsLoss(pos_weight=weight)
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)
    generator = torch.Generator().manual_seed(settings.seed)
    torch.manual_seed(1)
    pixels, history = torch.from_numpy(data.pixels), []
    count, size = len(train.rows), settings.batch_size
    total, step = settings.epochs * math.ceil(count / size), 0
    for epoch in range(1, settings.epochs + 1):
        model.train()
        order = torch.randperm(count, generator=generator)
        draws = draw(count, settings.augmentation, generator)
        losses, rates = [], []
        for start in range(0, count, size):
            batch = order[start : start + size]
            if settings.scheduler == "cosine":
                optimizer.param_groups[0]["lr"] = settings.lr * (1 + math.cos(math.pi * step / total)) / 2
            rates.append(optimizer.param_groups[0]["lr"])
            part = draws[start : start + size]
            smoothed = train.labels[batch] * (1 - settings.label_smoothing) + settings.label_smoothing / 2
            mixed, targets = part.mix(pixels[train.rows[batch]], smoothed)
            images = prepare(mixed, 32, IMAGENET_MEAN, IMAGENET_STD, part)
            loss = loss_function(model(images), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses += [loss.item()] * len(batch)
            step += 1
        model.eval()
        with torch.no_grad():
            logits = model(prepare(pixels[validation.rows], 32, IMAGENET_MEAN, IMAGENET_STD))
        history.append(
            {
                "epoch": epoch,
                "train_loss": sum(losses) / count,
                "val_loss": loss_function(logits, validation.labels).item(),
                "val_auc": roc_auc_score(validation.labels, logits),
                "lr": rates[0],
            }
        )
    return history, logits


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"epochs": 1, "batch_size": 10},  # no batch is smaller than the others
        {"pos_weight": True},
        {"scheduler": "cosine", "epochs": 3},
        {"augmentation": {}, "weight_decay": 0.5},
        {"augmentation": {"flips": True, "brightness": 0.5}},
        {"augmentation": {"quarter_turns": True, "zoom": 0.2, "shift": 0.1, "stain": 0.05, "noise": 4.0}},
        {"label_smoothing": 0.1},
        {"augmentation": {"flips": True, "mixup": 0.4, "cutmix": 0.5}},
    ],
)
def test_training_is_what_a_plain_loop_does(trained, settings, data, network, changes):
    options = {"dropout": 0.3, "norm": True}
    changes = {"lr": 1e-3} | changes  # a higher rate would magnify the rounding of one kind of CPU
    expected, expected_logits = plain_loop(network(**options).model, replace(settings, **changes), data)
    _, done, logits = trained(options=options, **changes)
    assert len(done.history) == len(expected)
    for row, other in zip(facts(done), expected, strict=True):
        assert row == pytest.approx(other, rel=2e-3, abs=1e-4)
    assert torch.allclose(logits, expected_logits, atol=1e-3)


def test_patches_are_mixed_within_a_batch_however_memory_cuts_it(trained):
    mixing = {"augmentation": {"mixup": 0.4, "cutmix": 1.0}}
    whole, cut = (trained(micro_batch=size, **mixing)[1] for size in (8, 3))
    for row, other in zip(facts(whole), facts(cut), strict=True):
        assert row == pytest.approx(other, rel=1e-3, abs=1e-4)


def test_a_separable_set_is_learned(trained):
    _, done, _ = trained(epochs=25, lr=0.05, weight_decay=0.0)
    assert done.history[-1]["val_auc"] > 0.9
    assert done.history[-1]["train_loss"] < done.history[0]["train_loss"]


def test_the_returned_logits_are_those_of_the_trained_network(trained, data):
    net, done, logits = trained()
    validation = data.subsets["validation"]
    assert torch.allclose(net.predict(data.patches, validation.rows, 8), logits, atol=1e-6)
    assert done.history[-1]["val_auc"] == pytest.approx(roc_auc_score(validation.labels, logits))


def test_training_twice_gives_the_same_bits(trained):
    options = {"dropout": 0.3, "norm": True}
    first, second = (trained(options=options) for _ in range(2))
    assert facts(first[1]) == facts(second[1])
    assert torch.equal(first[2], second[2])


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 4},
        {"augmentation": {"flips": True}},
        {"augmentation": {"flips": True, "rotation": 90.0, "brightness": 0.3}},
    ],
)
def test_another_seed_or_augmentation_is_another_training(trained, changes):
    assert facts(trained()[1]) != facts(trained(**changes)[1])


def test_times_and_speeds_are_positive_and_agree(trained):
    _, done, _ = trained(epochs=3)
    assert all(row["seconds"] > 0 and row["images_per_second"] > 0 for row in done.history)
    whole = sum(row["seconds"] for row in done.history)
    assert done.train_seconds + done.evaluate_seconds == pytest.approx(whole, rel=0.2)
    trained_images = 30 * 3
    slowest = min(row["images_per_second"] for row in done.history)
    assert trained_images / done.train_seconds >= slowest


def test_the_schedule_none_keeps_the_learning_rate(trained, steps):
    trained(epochs=3)
    assert [lr for lr, _ in steps] == [1e-2] * 12


def test_the_schedule_cosine_ends_near_zero(trained, steps):
    _, done, _ = trained(epochs=3, scheduler="cosine")
    expected = [1e-2 * (1 + math.cos(math.pi * step / 12)) / 2 for step in range(12)]
    assert [lr for lr, _ in steps] == pytest.approx(expected)
    assert [row["lr"] for row in done.history] == pytest.approx(expected[::4])


def test_a_frozen_backbone_is_left_as_it_is_while_the_head_learns(trained, network, tiny):
    layers = [nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    features = nn.Sequential(*layers)
    features.add_module("fc", nn.Linear(6, 2))
    net = network(Classifier(features, tiny.backbone, dropout=0.2, frozen=True))
    before = copy.deepcopy(net.model.state_dict())
    trained(net)
    changed = [name for name, value in net.model.state_dict().items() if not torch.equal(value, before[name])]
    assert changed == ["head.1.weight", "head.1.bias"]


# Under short memory: the first step has 8 patches, of which `patches` fit at a time.


@pytest.mark.parametrize(("patches", "micro_batch"), [(100, 8), (7, 4), (3, 2), (2, 2)])
@pytest.mark.parametrize("weighted", [True, False])
def test_gradients_are_those_of_the_whole_batch_where_memory_is_short(
    trained, network, limited_network, steps, patches, micro_batch, weighted
):
    _, expected, expected_logits = trained(network(), epochs=1, pos_weight=weighted)
    straight = steps.copy()
    steps.clear()
    _, done, logits = trained(limited_network(patches), epochs=1, pos_weight=weighted)
    assert done.micro_batch == micro_batch
    assert expected.micro_batch == 8
    assert len(steps) == len(straight) == 4
    for (_, found), (_, whole) in zip(steps, straight, strict=True):
        for gradient, other in zip(found, whole, strict=True):
            assert torch.allclose(gradient, other, rtol=1e-3, atol=1e-5)
    assert facts(done)[0] == pytest.approx(facts(expected)[0], abs=1e-3)
    assert torch.allclose(logits, expected_logits, atol=1e-3)


def test_gradients_of_a_batch_that_failed_half_way_are_forgotten(trained, network, limited_network, steps):
    """Memory ends in the second part of the first batch, when the first part has its gradients."""
    trained(network(), epochs=1)
    straight = steps.copy()
    steps.clear()
    net = limited_network(4, fails=(3,))  # 8 fail, 4 succeed, 4 fail, then 2 by 2
    _, done, _ = trained(net, epochs=1)
    assert done.micro_batch == 2
    for gradient, other in zip(steps[0][1], straight[0][1], strict=True):
        assert torch.allclose(gradient, other, rtol=1e-3, atol=1e-5)


def test_a_micro_batch_that_is_known_beforehand_is_not_exceeded(trained, limited_network):
    net = limited_network(100)
    _, done, _ = trained(net, micro_batch=3, epochs=1)
    assert done.micro_batch == max(net.model.sizes) == 3


def test_what_memory_has_taught_is_kept(trained, limited_network):
    net = limited_network(4)
    trained(net, epochs=2)
    assert net.model.sizes.count(8) == 1  # tried once, not in every step


def test_memory_for_not_even_one_patch_is_an_error(trained, limited_network):
    with pytest.raises(torch.OutOfMemoryError):
        trained(limited_network(0))


def test_any_other_error_is_not_tried_again(trained, network, tiny):
    class Broken(tiny):
        calls = 0

        def forward(self, images):
            self.calls += 1
            raise RuntimeError("shapes do not match")

    broken = Broken()
    with pytest.raises(RuntimeError, match="shapes do not match"):
        trained(network(broken))
    assert broken.calls == 1


# Going on from a saved state.


class KilledError(Exception):
    pass


def kept_at(epoch: int, kept: list):
    """A `save` that keeps a copy of the state of an epoch, as a file does, and ends the training."""

    def save(state):
        kept.append(copy.deepcopy(state))
        if len(kept) == epoch:
            raise KilledError

    return save


@pytest.mark.parametrize("epoch", [1, 2])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"scheduler": "cosine"},
        {"scheduler": "cosine", "warmup": 0.3},
        {"scheduler": "one_cycle", "augmentation": {"quarter_turns": True, "shift": 0.1, "noise": 4.0}},
        {"ema": 0.9, "focal_gamma": 2.0, "label_smoothing": 0.1, "tta": True},
        {"swa": 0.7, "hard_share": 0.5},
        {"patience": 1, "lr": 0.3},
        {"layer_decay": 0.5, "unfreeze_epochs": 2, "start_size": 32, "image_size": 64},
    ],
)
def test_going_on_from_any_epoch_gives_the_same_bits(trained, network, epoch, changes):
    options, changes = {"dropout": 0.3, "norm": True}, changes | {"epochs": 3}
    straight, done, logits = trained(options=options, **changes)
    kept = []
    with pytest.raises(KilledError):
        trained(options=options, save=kept_at(epoch, kept), **changes)
    torch.manual_seed(99)  # a new process is in another random state, and its network is a new one
    other = network(**options)
    torch.nn.init.zeros_(other.model[0].weight)
    resumed, done_after, logits_after = trained(other, state=kept[-1], **changes)
    assert facts(done_after) == facts(done)
    assert torch.equal(logits_after, logits)
    expected = straight.model.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in resumed.model.state_dict().items())


def test_a_resumed_training_knows_its_past(trained):
    kept = []
    with pytest.raises(KilledError):
        trained(epochs=3, save=kept_at(2, kept))
    before = copy.deepcopy(kept[-1]["progress"])
    _, done, _ = trained(epochs=3, state=kept[-1])
    assert done.history[:2] == before["history"]
    assert done.train_seconds > before["train_seconds"]
    assert done.evaluate_seconds > before["evaluate_seconds"]


def test_a_resumed_training_remembers_what_memory_taught(trained, limited_network):
    kept = []
    with pytest.raises(KilledError):
        trained(limited_network(4), save=kept_at(1, kept))
    for known, expected in ((8, 4), (2, 2)):
        net = limited_network(4)
        _, done, _ = trained(net, state=copy.deepcopy(kept[-1]), micro_batch=known)
        assert done.micro_batch == net.model.sizes[0] == expected


def breaking(tiny, at_call: int, in_training: bool):
    """A network that breaks at a call of training or of evaluation, and whose loss is then not a number."""

    class Breaking(tiny):
        calls = 0

        def forward(self, images):
            self.calls += self.training == in_training
            broken = self.training == in_training and self.calls == at_call
            return super().forward(images) * (torch.nan if broken else 1.0)

    return Breaking()


@pytest.mark.input("Training", "A loss that is not finite", "one line with epoch, step, `lr` and precision")
@pytest.mark.parametrize(
    ("call", "where"), [(1, "epoch 1 at step 1"), (3, "epoch 1 at step 3"), (6, "epoch 2 at step 2")]
)
def test_a_loss_that_is_not_finite_ends_the_training_with_its_epoch(trained, network, tiny, call, where):
    saved = []
    line = rf"^training diverged in {where} of 4: the loss is not finite \(lr 0.01, fp32\); lower lr$"
    with pytest.raises(InputError, match=line):
        trained(network(breaking(tiny, call, in_training=True)), epochs=3, save=saved.append)
    assert len(saved) == int(where[6]) - 1


@pytest.mark.input("Training", "Logits of validation patches that are not finite", "one line, likewise")
def test_logits_that_are_not_finite_are_counted(trained, network, tiny):
    line = r"^training diverged in epoch 2: 12 of 12 validation logits are not finite \(lr 0.01,"
    with pytest.raises(InputError, match=line):
        trained(network(breaking(tiny, 2, in_training=False)), epochs=3)


@pytest.mark.input("Training", "A learning rate that is far too high", "one line, at the end of the epoch")
def test_an_absurd_learning_rate_is_a_divergence(trained):
    with pytest.raises(InputError, match=r"^training diverged in epoch \d+.*\(lr 1e\+30, fp32\); lower lr$"):
        trained(lr=1e30, epochs=3)


class Waits(TorchDispatchMode):
    """Counts how often a value is fetched from the device."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += function is torch.ops.aten._local_scalar_dense.default
        return function(*args, **(kwargs or {}))


def test_nothing_waits_for_the_device_inside_an_epoch(trained):
    """Eight times the steps fetch no more values."""
    counts = []
    for batch_size in (15, 2):
        with Waits() as waits:
            trained(epochs=1, batch_size=batch_size)
        counts.append(waits.count)
    assert counts[0] == counts[1] > 0


def test_a_training_that_diverges_is_one_line(trained, network, tiny):
    class Broken(tiny):
        def forward(self, images):
            return super().forward(images) * (1.0 if self.training else torch.nan)

    with pytest.raises(InputError, match=r"^training diverged in epoch 1: .*; lower lr$"):
        trained(network(Broken()))


@pytest.mark.parametrize("epochs", [1, 2, 4])
def test_a_state_is_saved_after_each_epoch_but_the_last(trained, epochs):
    saved = []
    trained(epochs=epochs, save=lambda state: saved.append(len(state["progress"]["history"])))
    assert saved == list(range(1, epochs))


def test_the_best_epoch_is_kept_where_training_stops_early(trained, network, tiny, data):
    """A network whose evaluation gets worse after the second epoch."""

    class Worsening(tiny):
        evaluations = 0

        def forward(self, images):
            logits = super().forward(images)
            if self.training:
                return logits
            self.evaluations += 1
            return logits if self.evaluations == 2 else -logits

    net = network(Worsening())
    _, done, logits = trained(net, epochs=9, patience=2, lr=0.05)
    aurocs = [row["val_auc"] for row in done.history]
    assert aurocs[1] == max(aurocs)
    assert (len(aurocs), done.kept_epoch) == (4, 2)
    assert roc_auc_score(data.subsets["validation"].labels, logits) == pytest.approx(aurocs[1])
    assert torch.allclose(net.predict(data.patches, data.subsets["validation"].rows, 8), -logits, atol=1e-6)


def test_the_symmetries_of_a_patch_are_predicted_once_when_training_is_over(trained, network, data):
    plain, plain_done, _ = trained(epochs=2)
    net = replace(network(), symmetries=True)
    net, done, logits = trained(net, epochs=2)
    assert facts(done) == facts(plain_done)
    rows = data.subsets["validation"].rows
    assert torch.allclose(logits, net.predict(data.patches, rows, 8), atol=1e-6)
    assert not torch.allclose(logits, plain.predict(data.patches, rows, 8), atol=1e-3)


def test_balanced_batches_are_trained_on(trained, data, network, tiny):
    seen = []

    class Watched(tiny):
        def forward(self, images):
            if self.training:
                seen.append(images.mean((2, 3))[:, 0])  # positives are redder
            return super().forward(images)

    train = data.subsets["train"]
    trained(network(Watched()), groups=[train.labels.long()], augmentation={}, epochs=1, batch_size=10)
    reds = network().images(torch.from_numpy(data.pixels)[train.rows]).mean((2, 3))[:, 0]
    for batch in seen:
        patches = [int((reds - red).abs().argmin()) for red in batch]
        assert train.labels[patches].sum() == 5


def test_the_average_of_the_weights_is_evaluated_and_kept(trained, data, network):
    """The average after all steps, computed here from the weights after each."""
    after, kept = [], None

    def look(optimizer, args, kwargs):
        (group,) = optimizer.param_groups
        after.append([parameter.detach().clone() for parameter in group["params"]])

    handle = register_optimizer_step_post_hook(look)
    net, _, logits = trained(ema=0.5)
    handle.remove()
    for step, weights in enumerate(after):
        decay = min(0.5, (1 + step) / (10 + step))
        kept = (
            weights
            if kept is None
            else [k * decay + w * (1 - decay) for k, w in zip(kept, weights, strict=True)]
        )
    for expected, parameter in zip(kept, net.model.parameters(), strict=True):
        assert torch.allclose(parameter, expected, atol=1e-6)
    assert torch.allclose(net.predict(data.patches, data.subsets["validation"].rows, 8), logits, atol=1e-6)


def test_patches_grow_from_epoch_to_epoch_and_are_evaluated_in_full(trained):
    seen = []

    class Watched(nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model, self.backbone = model, model.backbone

        def forward(self, images):
            seen.append((self.training, images.shape[-1]))
            return self.model(images)

    def watch(net):
        net.model = Watched(net.model)
        return net

    trained(watch(trained(epochs=1)[0]), epochs=3, image_size=64, start_size=32)
    assert [size for training, size in seen if training] == [32] * 4 + [48] * 4 + [64] * 4
    assert {size for training, size in seen if not training} == {32}  # the network's own
