"""What is said before any job."""

import numpy as np
import pytest
from PIL import Image

from histopatch.config import load
from histopatch.errors import InputError
from histopatch.experiment import Experiment, read_experiment
from histopatch.preflight import check_inputs


@pytest.fixture
def experiment(tmp_path):
    """An experiment on 24 patches of 4 slides, with parts of its configuration replaced."""
    (tmp_path / "train").mkdir()
    for number in range(24):
        pixels = np.full((16, 16, 3), 10 * number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"train/p{number}.png")
    labels = "".join(f"p{number},{number % 2}\n" for number in range(24))
    (tmp_path / "train_labels.csv").write_text(f"id,label\n{labels}")
    slides = "".join(f"p{number},s{number // 6}\n" for number in range(24))
    (tmp_path / "slides.csv").write_text(f"id,slide\n{slides}")

    kaggle = {"format": "kaggle", "root": str(tmp_path)}

    def experiment(dataset: dict | None = None, **parts) -> Experiment:
        section = {
            "dataset": dataset or kaggle,
            "studies": {"first": {"runs": {"plain": {}}}},
            "final": {"study": "first"},
            **parts,
        }
        config = load({"experiment": "mine", "experiments": {"mine": section}})
        return read_experiment("mine", config["experiments"]["mine"])

    return experiment


def fault(experiment: Experiment) -> str:
    """The one line that says what is wrong."""
    with pytest.raises(InputError) as caught:
        check_inputs(experiment)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_grouping_by_slides_needs_a_slide_map(experiment, tmp_path):
    splits = {"main": {}, "honest": {"group_by": "slide"}}
    message = fault(experiment(splits=splits))
    assert message.startswith("experiments.mine.splits.honest.group_by: no slide is known")
    assert "dataset.slides" in message
    dataset = {"format": "kaggle", "root": str(tmp_path), "slides": str(tmp_path / "slides.csv")}
    check_inputs(experiment(dataset, splits=splits))
    # A synthetic data set has slides of its own.
    check_inputs(experiment({"format": "synthetic"}, splits=splits))


@pytest.mark.parametrize(
    ("parts", "where"),
    [
        ({"defaults": {"weights": "None"}}, "studies.first.plain"),
        ({"studies": {"first": {"grid": {"weights": ["imagenet", "None"]}}}}, "studies.first.weights=None"),
        ({"final": {"study": "first", "overrides": {"weights": "None"}}}, "final.overrides"),
    ],
)
def test_initial_weights_that_are_not_there_are_named_before_any_job(experiment, parts, where):
    message = fault(experiment({"format": "synthetic"}, **parts))
    assert message.startswith(f"experiments.mine.{where}.weights: 'None' is neither `imagenet`, `none` nor")
    assert message.endswith("did you mean `none`?")


@pytest.mark.input("Configuration", "`balance: slide` where no slide is known", "one line before any job")
@pytest.mark.parametrize("balance", ["slide", "class_and_slide"])
def test_balancing_slides_needs_slides(experiment, tmp_path, balance):
    message = fault(experiment(defaults={"balance": balance}))
    assert message.startswith(f"experiments.mine.studies.first.plain.balance: '{balance}' needs to know")
    dataset = {"format": "kaggle", "root": str(tmp_path), "slides": str(tmp_path / "slides.csv")}
    check_inputs(experiment(dataset, defaults={"balance": balance}))
    check_inputs(experiment(defaults={"balance": "class"}))


def test_a_network_that_timm_does_not_have_is_named_before_any_job(experiment):
    parts = {"studies": {"first": {"runs": {"mine": {"backbone": "timm/resnet81"}}}}}
    message = fault(experiment({"format": "synthetic"}, **parts))
    assert message.startswith("experiments.mine.studies.first.mine.backbone: timm has no 'resnet81' (did you")


@pytest.fixture
def mapped(experiment, tmp_path):
    """An experiment with a slide map, which is edited first."""

    def run(edit=lambda text: text, splits: dict | None = None) -> Experiment:
        path = tmp_path / "slides.csv"
        path.write_text(edit(path.read_text()))
        dataset = {"format": "kaggle", "root": str(tmp_path), "slides": str(path)}
        return experiment(dataset, splits={"main": {}, **(splits or {})})

    return run


def test_only_splits_that_keep_slides_whole_need_a_slide_for_each_patch(mapped):
    def without_two(text: str) -> str:
        return text.replace("p3,s0\n", "").replace("p7,s1\n", "")

    check_inputs(mapped(without_two))
    check_inputs(mapped(splits={"honest": {"group_by": "slide", "unmapped": "own_group"}}))
    message = fault(mapped(splits={"honest": {"group_by": "slide"}}))
    assert message.startswith("experiments.mine.splits.honest.unmapped: 2 of 24 patches have no slide in ")


def test_patches_that_cannot_be_used_need_no_slide(mapped, tmp_path):
    """One without an image, one without a label, and one with both labels."""
    with (tmp_path / "train_labels.csv").open("a") as labels:
        labels.write("none,1\np22,\np23,0\n")
    rows = (tmp_path / "train_labels.csv").read_text().replace("p22,0\n", "")
    (tmp_path / "train_labels.csv").write_text(rows)
    check_inputs(mapped(lambda text: text.split("p22")[0], {"honest": {"group_by": "slide"}}))


def test_a_slide_map_of_other_patches_is_refused_whatever_the_split(mapped):
    assert "slides.csv: no id is that of a patch, such as 'x0'" in fault(
        mapped(lambda text: text.replace("p", "x"))
    )


@pytest.mark.input("Label file", "Numbers other than 0 and 1 for a class", "refused: which there are")
def test_labels_that_leave_a_class_without_patches_are_named(mapped, tmp_path):
    labels = next(tmp_path.rglob("train_labels.csv"))
    labels.write_text(labels.read_text().replace(",1", ",2").replace(",0", ",1"))
    message = fault(mapped())
    assert message.startswith(f"{labels}: no image has the label 0, and both 0 and 1 are needed; correct")
    assert "'2' 12 times" in message


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ({"folds": 13}, "folds: 13 is impossible: there are only 12 patches of a class (negative)"),
        (
            {"validation_fraction": 0.05},
            "validation_fraction: 0.05 is impossible: of the 2 patches that validate 1 is",
        ),
        ({"group_by": "slide", "folds": 5}, "folds: 5 is impossible: there are too few groups of patches"),
        ({"group_by": "patient"}, "group_by: no patient is known"),
    ],
)
def test_a_split_that_the_labels_rule_out_is_named(mapped, split, message):
    assert fault(mapped(splits={"other": split})).startswith(f"experiments.mine.splits.other.{message}")


def test_given_parts_that_contradict_a_split_are_named(experiment, tmp_path):
    parts = ["train"] * 16 + ["validation"] * 4 + ["held out"] * 4
    rows = [f"train/p{number}.png,{number % 2},{part}" for number, part in enumerate(parts)]
    (tmp_path / "t.csv").write_text("\n".join(["path,label,part", *rows]))
    dataset = {"format": "table", "table": str(tmp_path / "t.csv"), "columns": {"part": "part"}}
    check_inputs(experiment(dataset))
    message = fault(experiment(dataset, splits={"official": {"parts": "given", "folds": 3}}))
    assert message.startswith("experiments.mine.splits.official.folds: 3 contradicts `parts: given`")


def test_a_sample_submission_of_other_images_is_refused(experiment, tmp_path):
    (tmp_path / "test").mkdir()
    for name in ("q0", "q1"):
        Image.new("RGB", (16, 16)).save(tmp_path / f"test/{name}.png")
    check_inputs(experiment())
    (tmp_path / "sample_submission.csv").write_text("id,label\nq0,0\nq2,0\n")
    message = fault(experiment())
    assert "sample_submission.csv: 1 of 2 test ids have no usable image, the first is 'q2'" in message
    check_inputs(experiment(final={"study": "first", "unusable_images": 0.5}))


@pytest.fixture
def grouped(experiment, tmp_path):
    """An experiment with slides and a table of groups."""

    def run(*lines: str, **splits: dict) -> Experiment:
        (tmp_path / "groups.csv").write_text("\n".join(lines))
        dataset = {"format": "kaggle", "root": str(tmp_path), "slides": str(tmp_path / "slides.csv")}
        return experiment(dataset | {"groups": str(tmp_path / "groups.csv")}, splits={"main": {}, **splits})

    return run


SITES = ("slide,site", "s0,A", "s1,A", "s2,B", "s3,C")


def test_a_table_of_groups_that_does_not_fit_is_named_before_any_job(grouped, experiment, tmp_path):
    check_inputs(grouped(*SITES))
    assert "groups.csv: 1 of 5 slides are not in the data set, the first is 's4'" in fault(
        grouped(*SITES, "s4,A")
    )
    assert "groups.csv: there is no column 'id' or 'slide'" in fault(grouped("slides,site", "s0,A"))
    dataset = {"format": "kaggle", "root": str(tmp_path), "groups": str(tmp_path / "none.csv")}
    assert "none.csv: no such file; dataset.groups names a table" in fault(experiment(dataset))


def test_a_split_may_keep_the_groups_of_a_column_whole(grouped):
    check_inputs(grouped(*SITES, sites={"group_by": "site"}))
    at = "experiments.mine.splits.sites"
    message = fault(grouped(*SITES, sites={"group_by": "sites"}))
    assert message.startswith(f"{at}.group_by: there is no column 'sites' (did you mean 'site'?)")
    message = fault(grouped(*SITES[:-1], sites={"group_by": "site"}))
    assert message.startswith(f"{at}.unmapped: 6 of 24 patches have no site in dataset.groups")
    message = fault(grouped(*SITES, sites={"group_by": "site", "folds": 4}))
    assert message.startswith(f"{at}.folds: 4 is impossible: there are too few groups of patches")


def test_a_split_by_a_column_needs_a_table(experiment):
    with pytest.raises(InputError, match=r"main\.group_by: there is no group 'site'.*dataset\.groups$"):
        experiment(splits={"main": {"group_by": "site"}})


@pytest.fixture
def external(experiment, tmp_path):
    """The experiment with an external data set, a copy of its own images with other labels."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "train").symlink_to(tmp_path / "train")

    def external(labels: str | None, **keys) -> Experiment:
        if labels is not None:
            (theirs / "train_labels.csv").write_text(f"id,label\n{labels}")
        return experiment(external={"site": {"format": "kaggle", "root": str(theirs)} | keys})

    return external


def test_an_external_data_set_that_is_all_there_is_no_fault(external):
    check_inputs(external("p0,0\np1,1\n"))


@pytest.mark.input(
    "Configuration", "an external data set of which a file or a class is missing", "one line before any job"
)
@pytest.mark.parametrize(
    ("labels", "keys", "words"),
    [
        ("p0,0\np1,1\n", {"root": "nowhere"}, "nowhere"),
        (None, {}, "train_labels.csv"),
        ("p0,1\np1,1\n", {}, "2 of 2 usable patches are positive"),
        ("p0,0\np1,0\n", {}, "0 of 2 usable patches are positive"),
        ("p0,0\np1,1\n", {"slides": "nowhere.csv"}, "nowhere.csv"),
    ],
    ids=["folder", "labels", "positives only", "negatives only", "slide map"],
)
def test_an_external_data_set_that_cannot_be_measured_on_is_named_before_any_job(
    external, labels, keys, words
):
    message = fault(external(labels, **keys))
    assert message.startswith("experiments.mine.external.site: ")
    assert words in message


def test_a_run_may_not_ask_for_more_gpus_than_the_call_offers(experiment):
    asked = experiment(defaults={"gpus": 2})
    with pytest.raises(InputError, match=r"plain\.gpus: 2 are asked for, and the call offers 1; .*gpu=2"):
        check_inputs(asked, gpus=1)
    check_inputs(asked, gpus=2)
    check_inputs(asked)  # a call that does not say, as on a cluster
