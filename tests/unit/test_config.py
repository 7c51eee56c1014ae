import copy
import datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from histopatch import config
from histopatch.errors import InputError
from histopatch.schema import neutral_settings, read_schema


def minimal(**experiment) -> dict:
    """The smallest configuration that is whole, with parts of its experiment replaced."""
    return {
        "experiment": "mine",
        "experiments": {
            "mine": {
                "dataset": {"format": "synthetic"},
                "studies": {"first": {"runs": {"plain": {}}}},
                "final": {"study": "first"},
                **experiment,
            }
        },
    }


def load(**experiment) -> dict:
    """The experiment that `minimal` loads as."""
    return config.load(minimal(**experiment))["experiments"]["mine"]


def fault(**experiment) -> str:
    """What is said of a faulty experiment: one line."""
    return fault_of(minimal(**experiment))


def fault_of(raw: dict) -> str:
    with pytest.raises(InputError) as caught:
        config.load(raw)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_defaults_are_filled_in():
    whole = config.load(minimal())
    assert whole["runtime"] == {
        "device": "auto",
        "workers": "auto",
        "on_failure": "stop",
        "log_level": "info",
    }
    mine = whole["experiments"]["mine"]
    nothing = neutral_settings()
    assert mine["defaults"] == nothing | {
        "backbone": "efficientnet_b0",
        "weights": "imagenet",
        "image_size": 224,
        "dropout": 0.2,
        "freeze_backbone": False,
        "batch_size": 64,
        "epochs": 1,
        "lr": 3e-4,
        "weight_decay": 1e-4,
        "scheduler": "none",
        "pos_weight": False,
        "precision": "auto",
        "deterministic": False,
        "seed": 42,
        "split": "main",
        "augmentation": nothing["augmentation"] | {"flips": True, "rotation": 90},
    }
    assert mine["splits"] == {
        "main": {
            "validation_fraction": 0.15,
            "seed": 42,
            "folds": 1,
            "held_out_fraction": 0,
            "group_by": "none",
            "appearance_clusters": 20,
            "unmapped": "stop",
            "keep_duplicates_together": False,
            "on_leak": "warn",
            "parts": "drawn",
        }
    }
    assert mine["dataset"]["synthetic"]["train_patches"] == 2400
    assert mine["dataset"]["patch_size"] == "auto"
    assert mine["cleaning"]["bad_rows"] == "reject"
    assert mine["final"] == {
        "study": "first",
        "metric": "val_auc",
        "select": "best",
        "ensemble": 1,
        "average": "probability",
        "calibrated": False,
        "unusable_images": "stop",
        "prevalences": [0.01, 0.05, 0.2],
        "overrides": {},
    }
    assert mine["figures"]["examples"]["per_class"] == 12


def test_given_values_are_kept_beside_defaults():
    mine = load(defaults={"lr": 1e-3, "augmentation": {"rotation": 10}}, splits={"main": {"seed": 7}})
    assert mine["defaults"]["lr"] == 1e-3
    nothing = neutral_settings()["augmentation"]
    assert mine["defaults"]["augmentation"] == nothing | {"flips": True, "rotation": 10}
    assert mine["splits"]["main"]["validation_fraction"] == 0.15
    assert mine["splits"]["main"]["seed"] == 7


def test_overrides_are_not_filled_in():
    mine = load(
        studies={"first": {"runs": {"plain": {}, "turned": {"augmentation": {"flips": False}}}}},
        final={"study": "first", "overrides": {"epochs": 3}},
    )
    assert mine["studies"]["first"]["runs"] == {"plain": {}, "turned": {"augmentation": {"flips": False}}}
    assert mine["final"]["overrides"] == {"epochs": 3}


def test_the_given_configuration_is_left_as_it_is():
    raw = minimal(defaults={"lr": "3e-4"})
    before = copy.deepcopy(raw)
    config.load(raw)
    assert raw == before


def test_defaults_are_copies_of_their_own():
    raw = minimal()
    raw["experiments"]["other"] = copy.deepcopy(raw["experiments"]["mine"])
    first = config.load(raw)
    first["experiments"]["mine"]["defaults"]["augmentation"]["rotation"] = 5
    first["experiments"]["mine"]["splits"]["main"]["seed"] = 5
    first["experiments"]["mine"]["studies"]["first"]["disabled"].append("plain")
    second = config.load(raw)
    for untouched in (first["experiments"]["other"], second["experiments"]["mine"]):
        assert untouched["defaults"]["augmentation"]["rotation"] == 90
        assert untouched["splits"]["main"]["seed"] == 42
        assert untouched["studies"]["first"]["disabled"] == []


@pytest.mark.parametrize("lr", [3e-4, "3e-4", "0.0003", 0.0003])
def test_numbers_have_one_form_wherever_they_stand(lr):
    mine = load(
        defaults={"lr": lr, "image_size": "96"},
        studies={"first": {"runs": {"plain": {"lr": lr}}, "grid": {"lr": [lr, 1], "epochs": ["2"]}}},
        final={"study": "first", "overrides": {"lr": lr}},
    )
    study = mine["studies"]["first"]
    found = [mine["defaults"]["lr"], study["runs"]["plain"]["lr"], study["grid"]["lr"][0]]
    assert [*found, mine["final"]["overrides"]["lr"]] == [0.0003] * 4
    assert study["grid"]["epochs"] == [2]
    assert mine["defaults"]["image_size"] == 96


def test_a_number_of_the_wrong_kind_is_made_the_right_one():
    """So that `1` and `1.0` are the same run: both are written alike in its settings."""
    mine = load(defaults={"epochs": 2.0, "augmentation": {"rotation": 90}, "lr": 1})
    numbers = [mine["defaults"]["epochs"], mine["defaults"]["augmentation"]["rotation"]]
    assert repr([*numbers, mine["defaults"]["lr"]]) == "[2, 90.0, 1.0]"


def test_a_seed_is_one_that_every_library_takes():
    assert load(defaults={"seed": 2**32 - 1})["defaults"]["seed"] == 2**32 - 1
    with pytest.raises(InputError, match=r"seed: 4294967296 is greater than the maximum"):
        load(defaults={"seed": 2**32})


def test_texts_that_look_like_numbers_stay_texts():
    assert load(defaults={"weights": "1e3"})["defaults"]["weights"] == "1e3"


@pytest.mark.parametrize(
    ("part", "typo", "meant"),
    [
        ({"defaults": {"learning_rat": 1}}, "learning_rat", None),
        ({"defaults": {"batchsize": 8}}, "batchsize", "batch_size"),
        ({"defaults": {"augmentation": {"rotatoin": 8}}}, "rotatoin", "rotation"),
        ({"studies": {"first": {"runs": {"plain": {"dropuot": 0.1}}}}}, "dropuot", "dropout"),
        ({"studies": {"first": {"grid": {"dropuot": [0.1]}}}}, "dropuot", "dropout"),
        ({"final": {"study": "first", "overrides": {"epoch": 1}}}, "epoch", "epochs"),
        ({"cleaning": {"badrows": "stop"}}, "badrows", "bad_rows"),
        ({"figures": {"dpii": 100}}, "dpii", "dpi"),
        ({"studys": {}}, "studys", "studies"),
    ],
)
def test_a_typo_names_the_key_and_what_may_be_meant(part, typo, meant):
    message = fault(**part)
    assert "experiments.mine" in message
    assert f"unknown key {typo!r}" in message
    assert f"did you mean {meant!r}?" in message if meant else "known are backbone, " in message


def test_a_key_in_the_wrong_place_is_sent_where_it_belongs():
    misplaced = minimal()
    misplaced["experiments"]["mine"]["dataset"]["splits"] = {}
    told = "dataset: unknown key 'splits'; it belongs to the experiment, beside `dataset`"
    assert fault_of(misplaced).endswith(told)
    assert fault(defaults={"mixup": 0.2}).endswith("unknown key 'mixup'; it belongs to `augmentation`")
    assert "it belongs to `defaults`, a run or `final.overrides`" in fault(lr=0.1)
    assert "it belongs to `runtime`" in fault(device="cpu")
    assert "did you mean 'splits'?" in fault(split={})  # a typo rather than the setting of a run
    assert "known are " in fault(seed=1)  # which many have


def test_a_typo_at_the_top_is_named():
    assert "unknown key 'runtim'; did you mean 'runtime'?" in fault_of(minimal() | {"runtim": {}})


@pytest.mark.parametrize(
    ("part", "key"),
    [
        # wrong types
        ({"defaults": {"epochs": "two"}}, "defaults.epochs"),
        ({"defaults": {"epochs": True}}, "defaults.epochs"),
        ({"defaults": {"epochs": 1.5}}, "defaults.epochs"),
        ({"defaults": {"lr": None}}, "defaults.lr"),
        ({"defaults": {"pos_weight": "yes"}}, "defaults.pos_weight"),
        ({"defaults": {"augmentation": True}}, "defaults.augmentation"),
        ({"defaults": None}, "defaults"),
        ({"dataset": "kaggle"}, "dataset"),
        ({"studies": {"first": {"grid": {"lr": 0.1}}}}, "studies.first.grid.lr"),
        ({"studies": {"first": {"grid": {"lr": ["fast"]}}}}, "studies.first.grid.lr"),
        ({"studies": {"first": {"runs": {"plain": None}}}}, "studies.first.runs.plain"),
        # impossible values
        ({"defaults": {"lr": 0}}, "defaults.lr"),
        ({"defaults": {"lr": -1e-3}}, "defaults.lr"),
        ({"defaults": {"lr": float("nan")}}, "defaults.lr"),
        ({"defaults": {"lr": "nan"}}, "defaults.lr"),
        ({"defaults": {"epochs": float("inf")}}, "defaults.epochs"),
        ({"defaults": {"dropout": 1}}, "defaults.dropout"),
        ({"defaults": {"epochs": 0}}, "defaults.epochs"),
        ({"defaults": {"batch_size": 1}}, "defaults.batch_size"),
        ({"defaults": {"image_size": 16}}, "defaults.image_size"),
        ({"defaults": {"backbone": "vgg"}}, "defaults.backbone"),
        ({"defaults": {"precision": "int8"}}, "defaults.precision"),
        ({"defaults": {"augmentation": {"rotation": 181}}}, "defaults.augmentation.rotation"),
        ({"splits": {"main": {"validation_fraction": 0}}}, "splits.main.validation_fraction"),
        ({"splits": {"main": {"validation_fraction": 1}}}, "splits.main.validation_fraction"),
        ({"splits": {"other": {}}}, "defaults.split"),
        ({"studies": {"first": {"runs": {"plain": {"lr": 2}}}}}, "studies.first.runs.plain.lr"),
        ({"studies": {"first": {"grid": {"lr": [0.1, 2]}}}}, "studies.first.grid.lr"),
        ({"studies": {"first": {"grid": {"lr": []}}}}, "studies.first.grid.lr"),
        ({"studies": {"first": {"grid": {"lr": [3e-4, "3e-4"]}}}}, "studies.first.grid.lr"),
        ({"studies": {"first": {"runs": {}}}}, "studies.first.runs"),
        ({"studies": {"first": {}}}, "studies.first"),
        ({"studies": {"summary": {"runs": {"plain": {}}}}}, "'summary'"),
        ({"studies": {"first": {"runs": {"a/b": {}}}}}, "'a/b'"),
        ({"final": {"study": "first", "metric": "accuracy"}}, "final.metric"),
        ({"final": {"study": "first", "overrides": {"epochs": 0}}}, "final.overrides.epochs"),
        ({"final": {}}, "final"),
        ({"dataset": {"format": "hdf5"}}, "dataset.format"),
        ({"dataset": {}}, "dataset"),
    ],
)
def test_a_wrong_type_or_an_impossible_value_is_named(part, key):
    message = fault(**part)
    assert message.startswith("experiments.mine") or key.startswith("'")
    assert key in message


@pytest.mark.parametrize("missing", ["experiment", "experiments"])
def test_a_missing_key_is_named(missing):
    raw = minimal()
    del raw[missing]
    assert f"the key {missing!r} is missing" in fault_of(raw)


@pytest.mark.parametrize(
    ("part", "key", "choices"),
    [
        ({"final": {"study": "second"}}, "final.study", "first"),
        ({"defaults": {"split": "slides"}}, "defaults.split", "main"),
        ({"final": {"study": "first", "overrides": {"split": "slides"}}}, "final.overrides.split", "main"),
        (
            {"studies": {"first": {"runs": {"plain": {"split": "slides"}}}}},
            "studies.first.runs.plain.split",
            "main",
        ),
        ({"studies": {"first": {"grid": {"split": ["main", "slides"]}}}}, "studies.first.grid.split", "main"),
    ],
)
def test_a_name_that_nothing_defines_is_named_with_the_choices(part, key, choices):
    message = fault(**part)
    assert message.startswith(f"experiments.mine.{key}: there is no")
    assert message.endswith(f"choose one of {choices}")


def test_a_split_that_is_defined_can_be_used_anywhere():
    mine = load(
        splits={"main": {}, "half": {"validation_fraction": 0.5}},
        studies={"first": {"runs": {"plain": {"split": "half"}}, "grid": {"split": ["main", "half"]}}},
        final={"study": "first", "overrides": {"split": "half"}},
    )
    assert mine["splits"]["half"] == mine["splits"]["main"] | {"validation_fraction": 0.5}


def test_an_unknown_experiment_is_named_with_the_choices():
    message = fault_of(minimal() | {"experiment": "yours"})
    assert message == "experiment: there is no experiment 'yours'; choose one of mine"


def test_an_unknown_disabled_run_is_named():
    message = fault(studies={"first": {"runs": {"plain": {}}, "disabled": ["fancy"]}})
    assert message.startswith("experiments.mine.studies.first.disabled: there is no run 'fancy'")


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        ({"format": "kaggle"}, "dataset: the key 'root' is missing"),
        ({"format": "kaggle", "root": "x", "synthetic": {}}, "dataset.synthetic: does not go with"),
        ({"format": "synthetic", "root": "x"}, "dataset.root: does not go with"),
        ({"format": "synthetic", "slides": "x.csv"}, "dataset.slides: does not go with"),
        ({"format": "synthetic", "patch_size": 96}, "dataset.patch_size: does not go with"),
    ],
)
def test_keys_must_go_with_the_format_of_the_dataset(dataset, said):
    assert fault(dataset=dataset).startswith(f"experiments.mine.{said}")


def test_a_kaggle_dataset_takes_its_own_keys():
    dataset = {"format": "kaggle", "root": "data", "slides": "slides.csv", "patch_size": 64}
    assert load(dataset=dataset)["dataset"].items() >= dataset.items()


def test_every_experiment_is_checked_not_only_the_one_to_run():
    raw = minimal()
    raw["experiments"]["other"] = copy.deepcopy(raw["experiments"]["mine"]) | {"final": {"study": "none"}}
    assert fault_of(raw).startswith("experiments.other.final.study")


@pytest.mark.parametrize(
    "runtime",
    [{"workers": 0}, {"workers": "all"}, {"device": "tpu"}, {"log_level": "loud"}, {"on_failure": "go on"}],
)
def test_impossible_runtime_knobs_are_named(runtime):
    assert fault_of(minimal() | {"runtime": runtime}).startswith(f"runtime.{next(iter(runtime))}")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("folds", 0),
        ("folds", 2.5),
        ("group_by", "scanner"),
        ("held_out_fraction", 1),
        ("unmapped", "drop"),
        ("on_leak", "ignore"),
    ],
)
def test_impossible_settings_of_a_split_are_named(key, value):
    assert fault(splits={"main": {key: value}}).startswith(f"experiments.mine.splits.main.{key}: ")


def test_only_ties_in_auroc_are_known():
    cheapest = {"study": "first", "select": "cheapest_tied"}
    assert load(final=cheapest)["final"]["metric"] == "val_auc"
    assert "experiments.mine.final.select: " in fault(final=cheapest | {"metric": "val_log_loss"})


def test_repeats_and_prevalences_are_checked():
    assert "final.prevalences" in fault(final={"study": "first", "prevalences": [0.1, 1]})
    studies = {"first": {"runs": {"plain": {}}, "repeats": 0}}
    assert "studies.first.repeats" in fault(studies=studies)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        pytest.param(
            202401,
            "the number 202401",
            marks=pytest.mark.input(
                "Configuration",
                "a name that YAML reads as a number, date or truth value",
                "refused: put it in quotes",
            ),
        ),
        (7, "the number 7"),
        (0.5, "the number 0.5"),
        (False, "`false` (or no, off)"),
        (True, "`true` (or yes, on)"),
        (None, "`null`"),
        (datetime.date(2024, 1, 2), "the date 2024-01-02"),
        pytest.param(16**5000, None, id="5000 hex digits"),
    ],
)
def test_names_that_yaml_reads_as_something_else_are_to_be_quoted(key, told):
    run, split = {"runs": {"plain": {}}}, {"group_by": "none"}
    whole = minimal()
    whole["experiments"][key] = whole["experiments"]["mine"]
    messages = {
        "experiments": fault_of(whole),
        "experiments.mine.studies": fault(studies={"first": run, key: run}),
        "experiments.mine.studies.first.runs": fault(studies={"first": {"runs": {"plain": {}, key: {}}}}),
        "experiments.mine.studies.first.grid": fault(studies={"first": {"grid": {key: [1]}}}),
        "experiments.mine.splits": fault(splits={"main": split, key: split}),
    }
    for where, message in messages.items():
        said = f"YAML reads the name here as {told}; put it in quotes" if told else "a number of more than"
        assert message.startswith(f"{where}: {said}")


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"final": {"study": 202401}}, "final.study: 202401 is not a text; YAML reads it so unless"),
        ({"defaults": {"split": False}}, "defaults.split: false is not a text; YAML reads it so unless"),
        ({"defaults": {"weights": None}}, "defaults.weights: null is not a text; YAML reads it so unless"),
        (
            {"studies": {"first": {"runs": {"a": {}}, "disabled": [7]}}},
            "studies.first.disabled.0: 7 is not a",
        ),
        pytest.param(
            {"defaults": {"backbone": "resnet81"}},
            "defaults.backbone: 'resnet81' is not known (did you mean 'resnet18'?); choose one of ",
            marks=pytest.mark.input(
                "Configuration", "a misspelt key, value or name", "refused: did you mean"
            ),
        ),
        (
            {"defaults": {"scheduler": False}},
            "defaults.scheduler: false is not known (did you mean 'none'?); choose one of none, ",
        ),
        (
            {"defaults": {"backbone": "ResNet18 "}},
            "defaults.backbone: 'ResNet18 ' is not known (did you mean 'resnet",
        ),
        (
            {"defaults": {"backbone": "timm/ResNet"}},
            "defaults.backbone: 'timm/ResNet' is not known (did you mean 'resnet18'?); choose one of ",
        ),
        ({"defaults": {"backbone": 18}}, "defaults.backbone: 18 is not known; choose one of resnet18, "),
        ({"defaults": {"precision": 16}}, "defaults.precision: 16 is not known (did you mean '"),
        (
            {"defaults": {"pos_weight": "no"}},
            "defaults.pos_weight: 'no' is not `true` or `false`; YAML reads a text",
        ),
        ({"cleaning": None}, "cleaning: null is not a mapping (`key: value`); `{}` is one without keys"),
        ({"defaults": {"lr": [1]}}, "defaults.lr: a list is not a number"),
        (
            {"dataset": {"format": "kaggle", "root": "x", "patch_size": "large"}},
            "dataset.patch_size: 'large' is neither `auto` nor a whole number from 16 to 1024",
        ),
        (
            {"final": {"study": "first", "prevalences": [0.1, 0.2, 0.1]}},
            "final.prevalences: 0.1 is there twice; keep one",
        ),
        ({"dataset": {"format": "kaggle", "root": ""}}, "dataset.root: empty"),
        ({"splits": {"main": {}, "x" * 101: {}}}, "splits: 'xxx"),
        pytest.param(
            {"studies": {"first": {"grid": {"seed": [*range(101)], "epochs": [*range(1, 101)]}}}},
            "studies.first: 10,100 runs; 10,000 are the most, give fewer",
            marks=pytest.mark.input("Configuration", "a grid of more than 10,000 runs", "refused"),
        ),
        (
            {"studies": {"first": {"runs": {"a": {}}, "grid": {"seed": [*range(1000)]}, "repeats": 10}}},
            "studies.first: 10,010 runs",
        ),
        (
            {"studies": {"first": {"grid": {"lr": [0.1, 2]}}}},
            "studies.first.grid.lr.1: 2.0 is greater than the maximum",
        ),
        (
            {"final": {"study": "frist"}},
            "final.study: there is no study 'frist' (did you mean 'first'?); choose",
        ),
        (
            {"defaults": {"split": "mian"}},
            "defaults.split: there is no split 'mian' (did you mean 'main'?); ",
        ),
        (
            {"studies": {"first": {"runs": {"plain": {}}, "disabled": ["plian"]}}},
            "studies.first.disabled: there is no run 'plian' (did you mean 'plain'?); choose one of plain",
        ),
        (
            {"studies": {"first": {"grid": {"lr": [1]}, "disabled": ["x"]}}},
            "studies.first.disabled: there is no run 'x'; choose one of (none)",
        ),
        pytest.param(
            {"studies": {"first": {"runs": {}}}},
            "studies.first.runs: empty; give at least one",
            marks=pytest.mark.input("Configuration", "a study without runs", "refused"),
        ),
        ({"studies": {"first": {"runs": None}}}, "studies.first.runs: null is not a mapping"),
        ({"studies": {"first": {"grid": {}}}}, "studies.first.grid: empty; give at least one"),
        ({"studies": {"first": {"grid": {"lr": []}}}}, "studies.first.grid.lr: empty; give at least one"),
        ({"studies": {"first": None}}, "studies.first: null is not a mapping"),
        ({"studies": {}}, "studies: empty; give at least one"),
    ],
)
def test_what_is_said_of_names_and_choices(part, told):
    assert fault(**part).startswith(f"experiments.mine.{told}")


@pytest.mark.input("Configuration", "a text with line ends, escapes or other invisible characters", "refused")
@pytest.mark.parametrize("text", ["two\nlines", "\x1b[31mred", "nul\0", "\u202eback", "\udc80"])
def test_a_text_that_cannot_be_printed_is_refused_wherever_it_is(text):
    raws = [
        minimal(dataset={"format": "kaggle", "root": text}),
        minimal(splits={"main": {}, text: {}}),
        minimal(studies={"first": {"grid": {"weights": ["none", text]}}}),
        minimal() | {"experiment": text},
    ]
    for raw in raws:
        message = fault_of(raw)
        assert message.isprintable()
        assert message.endswith("has a character that is not printable; take it out")


def test_a_text_that_is_too_long_for_a_path_is_refused():
    message = fault(defaults={"weights": "x" * 4097})
    assert (
        message
        == "experiments.mine.defaults.weights: a text of more than 4096 characters; give a shorter one"
    )


@pytest.mark.parametrize("value", [{1, 2}, b"bytes"])
def test_kinds_of_value_that_yaml_alone_has_are_refused(value):
    assert "defaults.lr: YAML reads " in fault(defaults={"lr": value})


@pytest.mark.input(
    "Configuration", "a path of the data set that starts with `~`", "refused: the path in full"
)
@pytest.mark.parametrize("key", ["root", "table", "slides"])
def test_a_path_from_the_home_folder_is_to_be_written_out(key, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    message = fault(dataset={"format": "table", "table": "t.csv", key: "~/data/x"})
    told = "starts with `~`, which only a shell expands; write '/home/ann/data/x'"
    assert message == f"experiments.mine.dataset.{key}: {told}"


def test_numbers_in_quotes_are_numbers_where_a_word_may_be_given_too():
    """YAML reads 5e-1 as a text."""
    whole = config.load(
        minimal(
            dataset={"format": "kaggle", "root": "x", "patch_size": "64"},
            final={"study": "first", "unusable_images": "5e-1"},
        )
        | {"runtime": {"workers": "2"}}
    )
    mine = whole["experiments"]["mine"]
    found = (mine["dataset"]["patch_size"], mine["final"]["unusable_images"], whole["runtime"]["workers"])
    assert repr(found) == "(64, 0.5, 2)"


@pytest.mark.input("Configuration", "an experiment such as `2024_01` on the command line", "read")
@pytest.mark.parametrize(("name", "taken_for"), [("2024_01", 202401), ("007", 7), ("1e3", 1000.0)])
def test_an_experiment_that_a_command_line_takes_for_a_number_is_found(name, taken_for):
    raw = minimal()
    raw["experiments"][name] = copy.deepcopy(raw["experiments"]["mine"])
    assert config.load(raw | {"experiment": taken_for})["experiment"] == name
    assert "experiment: " in fault_of(raw | {"experiment": taken_for + 1})
    raw["experiments"][f"0{name}"] = copy.deepcopy(raw["experiments"]["mine"])
    assert "experiment: " in fault_of(raw | {"experiment": taken_for})  # one of two


def test_an_experiment_that_is_misspelt_is_suggested():
    message = fault_of(minimal() | {"experiment": "mnie"})
    assert message == "experiment: there is no experiment 'mnie' (did you mean 'mine'?); choose one of mine"


def paths(node: dict, path: tuple[str, ...] = ()):
    """The path of every key of the configuration, with a name of each kind where the schema takes any."""
    node = config._resolve(node, read_schema())
    if path:
        yield path
    free = {"experiments": "mine", "splits": "main", "studies": "first", "runs": "plain", "grid": "lr"}
    children = dict(node.get("properties", {}))
    if path and path[-1] in free and isinstance(node.get("additionalProperties"), dict):
        children[free[path[-1]]] = node["additionalProperties"]
    for key, child in children.items():
        yield from paths(child, (*path, key))


PATHS = sorted(paths(read_schema()))


def put(path: tuple[str, ...], value) -> dict:
    """The smallest configuration, with a value at a path."""
    kaggles = path[2:4] in (("dataset", "columns"), ("dataset", "slide_columns"))
    raw = minimal(**({"dataset": {"format": "kaggle", "root": "data"}} if kaggles else {}))
    node = raw
    for key in path[:-1]:
        node = node.setdefault(key, {})
    node[path[-1]] = value
    return raw


@pytest.mark.input("Configuration", "a value of a wrong kind, at any key", "refused, with the whole path")
@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_any_kind_of_value_at_any_key_works_or_is_one_line_with_its_path(path):
    for value in (["x", 1], "text", -7.5, None, {"key": 1}, True):
        try:
            config.load(put(path, value))
        except InputError as error:
            assert "\n" not in str(error)
            assert str(error).startswith(".".join(path)), error


def test_the_paths_are_those_of_the_schema():
    """So that the test above looks into every part."""
    assert len(PATHS) > 100
    assert ("experiments", "mine", "studies", "first", "runs", "plain", "augmentation", "flips") in PATHS


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted({key for path in PATHS for key in path})), inner, max_size=4)
        | st.dictionaries(st.none() | st.integers() | st.booleans() | st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=20,
)


@limits(max_examples=100, deadline=None)
@given(PLAIN, st.sampled_from(PATHS))
def test_whatever_is_given_is_loaded_or_refused_in_one_line(value, path):
    for raw in (value, put(path, value)):
        try:
            config.load(raw)
        except InputError as error:
            assert len(str(error).splitlines()) == 1


@pytest.mark.input("Configuration", "values nested hundreds of levels deep", "refused")
@pytest.mark.parametrize("kind", [lambda inner: [inner], lambda inner: {"grid": inner}])
def test_endless_nesting_is_one_line(kind):
    value = 1
    for _ in range(900):
        value = kind(value)
    assert "nested too deeply" in fault(defaults=value)


def test_without_its_defaults_a_section_is_read_as_before():
    project = Path(__file__).parents[2]
    raw = yaml.safe_load((project / "config.yaml").read_text())
    for name, section in config.load(raw)["experiments"].items():
        short = config.without_defaults(section)
        assert config.load({"experiment": name, "experiments": {name: short}})["experiments"][name] == section
        assert "cleaning" not in short
        assert list(short) == sorted(short)


def test_without_external_data_sets_there_are_none():
    assert load()["external"] == {}


def test_external_data_sets_have_the_keys_of_a_data_set():
    site = {"format": "kaggle", "root": "data/site"}
    assert load(external={"site": site})["external"]["site"]["root"] == "data/site"


@pytest.mark.parametrize(
    ("site", "words"),
    [
        ({"format": "kaggle"}, "mine.external.site: the key 'root' is missing"),
        (
            {"format": "kaggle", "root": "a", "table": "b"},
            "mine.external.site.table: does not go with format",
        ),
        ({"format": "kaggel", "root": "a"}, "mine.external.site.format: "),
        ({"format": "kaggle", "rot": "a"}, "mine.external.site: "),
        ({"format": "kaggle", "root": "~/a"}, "mine.external.site.root: starts with `~`"),
        ({"format": "kaggle", "root": "a", "groups": "b"}, "mine.external.site.groups: "),
        ({"format": "pcam", "root": "a", "microns_per_pixel": 1}, "mine.external.site.microns_per_pixel: "),
        ({"format": "pcam", "root": "a", "shards": 2}, "mine.external.site.shards: "),
    ],
)
def test_a_wrong_key_of_an_external_data_set_is_named(site, words):
    assert words in fault(external={"site": site})
