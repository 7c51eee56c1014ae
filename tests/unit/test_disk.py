import re
from pathlib import Path

import pytest

from histopatch.config import load
from histopatch.disk import KINDS, obsolete, states, usage
from histopatch.experiment import read_experiment
from histopatch.schema import read_schema

RULES = Path(__file__).parents[2] / "workflow/rules"


@pytest.fixture
def experiment():
    frozen = {"freeze_backbone": True, "feature_head": "linear"}
    still = {"augmentation": {"flips": False, "rotation": 0}}
    section = {
        "dataset": {"format": "synthetic"},
        "splits": {"main": {"folds": 2}},
        "defaults": {"backbone": "resnet18", "weights": "none", "image_size": 32, **still},
        "studies": {"heads": {"runs": {"all": {}, "frozen": frozen}}},
        "final": {"study": "heads"},
        "external": {"elsewhere": {"format": "kaggle", "root": "data/elsewhere"}},
    }
    return read_experiment(
        "mine", load({"experiment": "mine", "experiments": {"mine": section}})["experiments"]["mine"]
    )


def write(results, *names: str, count: int = 1) -> None:
    for name in names:
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_bytes(b"x" * count)


def test_what_an_earlier_configuration_left_is_found(experiment, tmp_path):
    (run, *_) = experiment.runs
    named = [
        f"runs/{run}/fold-0/model.safetensors", f"runs/{run}/fold-1/run.json", "tables/heads.csv",
        "tables/runs.csv", "tables/choice.csv", "tables/tripod_ai.csv", "tables/summary.md",
        "figures/study-heads.png", "figures/roc.png", "figures/audit-main.png", "splits/main.csv",
        "splits/main.audit.json", "splits/main.flow.csv", "external/elsewhere/predictions.csv",
        f"figures/lr_range-{run}.png", "pack/train.npy", "final/best.json", "report.html",
    ]  # fmt: skip
    old = [
        "runs/gone-32px-0123456789/fold-0/run.json", f"runs/{run}/fold-2/run.json", "tables/rate.csv",
        "tables/rungs/rate-2.csv", "figures/study-rate.png", "figures/audit-other.png",
        "figures/flow-other.png", "splits/other.csv", "splits/other.audit.txt", "splits/other.flow.csv",
        "external/gone/predictions.csv", "features/resnet18-32px-0123456789.npy",
        "pack/train.shards/3-of-8.npy", "pack/test.shards/1-of-8.parquet",
        "figures/lr_range-gone-32px-0123456789.png", "lr_range/gone-32px-0123456789.csv",
    ]  # fmt: skip
    write(tmp_path, *named)
    assert obsolete(experiment, tmp_path) == []
    write(tmp_path, *old)
    found = obsolete(experiment, tmp_path)
    for name in old:
        assert sum({tmp_path / name, *(tmp_path / name).parents} >= {path} for path in found) == 1, name
    assert len(found) == len(old)


def test_no_study_may_be_called_like_another_table():
    """Two rules would write the same file."""
    written = {
        name for path in RULES.glob("*.smk") for name in re.findall(r"\}/tables/(\w+)\.csv", path.read_text())
    }
    assert written
    properties = read_schema()["$defs"]["experiment"]["properties"]
    assert written <= {*properties["studies"]["propertyNames"]["not"]["enum"]}


def test_every_file_is_counted_once(tmp_path):
    write(
        tmp_path, "pack/train.npy", "external/there/pack/train.npy", "source/train/a.tif",
        "features/bank.npy", "runs/a/fold-0/model.safetensors", "runs/a/fold-0/resume.pt",
        "runs/a/fold-0/history.csv", "final/model/model.safetensors", "final/best.json", "report.html",
        "figures/roc.png", "pack/train.index.parquet", count=10,
    )  # fmt: skip
    taken = usage(tmp_path)
    assert sum(taken.values()) == 120
    assert taken["images, decoded once"] == 20
    assert taken["tables, predictions and the rest"] == 30
    assert {*taken} == {kind for kind, _ in KINDS}
    assert states(tmp_path) == [tmp_path / "runs/a/fold-0/resume.pt"]


def test_parts_of_unfinished_work_are_told_from_what_is_finished_and_from_what_is_old(experiment, tmp_path):
    write(tmp_path, "pack/.train.npy.parts/pixels.npy", "features/.bank.npy.parts/000.npy", count=10)
    taken = usage(tmp_path)
    assert taken["what work goes on from"] == sum(taken.values()) == 20
    assert states(tmp_path) == [tmp_path / "features/.bank.npy.parts", tmp_path / "pack/.train.npy.parts"]
    assert obsolete(experiment, tmp_path) == []
