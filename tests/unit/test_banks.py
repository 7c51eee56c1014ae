import pytest

from histopatch.banks import bank_of

RUN = {
    "backbone": "timm/test_vit.r160_in1k", "weights": "imagenet", "image_size": 64, "batch_size": 8,
    "epochs": 4, "lr": 0.1, "seed": 1, "split": "main", "freeze_backbone": True, "feature_head": "linear",
}  # fmt: skip


def name(**changes) -> str:
    return bank_of(RUN | changes).name


def test_a_run_on_images_reads_no_bank():
    assert bank_of({key: value for key, value in RUN.items() if key != "feature_head"}) is None


@pytest.mark.parametrize(
    "changes",
    [{"feature_head": "mlp"}, {"lr": 1.0}, {"epochs": 9}, {"seed": 2}, {"dropout": 0.5}, {"split": "other"}],
)
def test_runs_that_differ_in_their_head_read_one_bank(changes):
    assert name(**changes) == name()


@pytest.mark.parametrize(
    "changes", [{"backbone": "resnet18"}, {"weights": "a.pth"}, {"image_size": 96}, {"precision": "bf16"}]
)
def test_another_encoder_makes_another_bank(changes):
    assert name(**changes) != name()


def test_random_weights_are_those_of_the_seed():
    drawn = {key: value for key, value in RUN.items() if key != "weights"}
    banks = [bank_of(drawn | {"seed": seed}) for seed in (1, 2)]
    assert banks[0].name != banks[1].name
    assert [bank.settings.seed for bank in banks] == [1, 2]


def test_the_name_is_a_plain_part_of_paths():
    assert name().startswith("timm-test_vit-r160_in1k-64px-")


def test_the_settings_build_the_encoder():
    settings = bank_of(RUN).settings
    assert (settings.backbone, settings.weights, settings.image_size) == (RUN["backbone"], "imagenet", 64)
    assert settings.freeze_backbone
