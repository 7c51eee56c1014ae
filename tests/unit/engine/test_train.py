import contextlib
import json
import threading
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
from sklearn.metrics import log_loss, roc_auc_score

from histopatch.augmentation.draws import draw
from histopatch.backbones.build import build
from histopatch.engine import loop, micro_batch, resume, train
from histopatch.engine.train import train_run
from histopatch.errors import InputError, RunError
from histopatch.schema import without_neutral
from histopatch.settings import Settings
from histopatch.stain.normaliser import draw_sample, fit

RUNTIME = {"device": "cpu", "workers": 1, "on_failure": "stop", "log_level": "info"}
FILES = {"model.safetensors", "history.csv", "predictions.csv", "run.json"}


def identity(settings: Settings) -> dict:
    return without_neutral("settings", asdict(settings))


@dataclass
class Trained:
    folder: Path

    @property
    def history(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "history.csv")

    @property
    def predictions(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "predictions.csv", dtype={"id": str})

    @property
    def report(self) -> dict:
        return json.loads((self.folder / "run.json").read_text())

    @property
    def model(self) -> dict:
        return safetensors.torch.load_file(self.folder / "model.safetensors")

    @property
    def facts(self) -> list[dict]:
        """The history without what a clock says."""
        return self.history.drop(columns=["seconds", "images_per_second"]).to_dict("records")


def same_bits(one: Trained, other: Trained) -> bool:
    weights, others = one.model, other.model
    return (
        one.facts == other.facts
        and one.predictions.equals(other.predictions)
        and weights.keys() == others.keys()
        and all(torch.equal(weights[name], others[name]) for name in weights)
    )


@pytest.fixture
def settings(tiny_settings) -> Settings:
    return tiny_settings


@pytest.fixture
def run(data, settings, tmp_path):
    """Train a run into a folder, on another pack where one is given."""

    def run(
        name: str,
        code: str = "c0de",
        pack: str = data.files["pack"],
        on_failure: str = "stop",
        pause_after: int = 0,
        **changes,
    ) -> Trained:
        folder = tmp_path / name / "fold-0"
        asked = replace(settings, **{"epochs": 3} | changes)
        train_run(
            asked, identity(asked), 0, **data.files | {"pack": pack}, folder=str(folder), code=code,
            formats=str(tmp_path / "formats"), runtime=RUNTIME | {"on_failure": on_failure}, threads=1,
            pause_after=pause_after,
        )  # fmt: skip
        return Trained(folder)

    return run


class KilledError(Exception):
    pass


@pytest.fixture
def killed(run, monkeypatch):
    """Train a run that is killed once its first epoch is saved."""

    def start(name: str, **changes) -> None:
        save = resume.save

        def save_and_die(*args):
            save(*args)
            raise KilledError

        with monkeypatch.context() as patch:
            patch.setattr(resume, "save", save_and_die)
            with pytest.raises(KilledError):
                run(name, **changes)

    return start


def test_a_run_keeps_its_four_files_and_nothing_else(run):
    trained = run("a")
    assert {path.name for path in trained.folder.iterdir()} == FILES


def test_history_has_one_row_per_epoch(run):
    history = run("a").history
    assert list(history) == [
        "epoch", "train_loss", "val_loss", "val_auc", "lr", "seconds", "images_per_second",
    ]  # fmt: skip
    assert history.epoch.tolist() == [1, 2, 3]
    assert (history.lr == 1e-2).all()


def test_predictions_are_those_of_the_validation_part_after_the_last_epoch(run, data):
    trained = run("a")
    predictions, last = trained.predictions, trained.history.iloc[-1]
    validation = data.table[data.table.fold == 0]
    assert list(predictions) == ["id", "label", "probability"]
    assert predictions.id.tolist() == validation.id.tolist()
    assert predictions.label.tolist() == validation.label.tolist()
    assert roc_auc_score(predictions.label, predictions.probability) == pytest.approx(last.val_auc, abs=1e-6)
    assert log_loss(predictions.label, predictions.probability) == pytest.approx(last.val_loss, abs=1e-4)


def test_the_report_says_what_was_trained_on_what(run, settings):
    trained = run("a", batch_size=15)
    report = trained.report
    assert report["settings"] == identity(replace(settings, epochs=3, batch_size=15))
    assert "weights" not in report["settings"]  # at neutral
    assert report["fold"] == 0
    assert report["device"].endswith(", 1 threads")
    assert report["precision"] == "fp32"
    assert report["layout"] in ("channels_last", "contiguous")
    assert report["micro_batch"] == 15
    assert list(report["seconds"]) == ["data", "model", "format", "train", "evaluate"]
    assert all(seconds >= 0 for seconds in report["seconds"].values())
    speeds = trained.history.images_per_second
    assert speeds.min() <= report["images_per_second"] + 0.1
    assert report["images_per_second"] - 0.1 <= speeds.max()
    assert 50e6 < report["peak_memory_bytes"]["process"] < 100e9
    assert report["memory_bytes"].keys() == {"training_estimate", "available"}
    assert report["libraries"]["torch"] == version("torch")


def test_a_run_twice_gives_the_same_bits(run):
    assert same_bits(run("a"), run("b"))


@pytest.mark.parametrize("stain", ["none", "macenko"])
def test_nothing_is_learned_from_validation_patches(run, data, tmp_path, stain):
    pixels = data.pixels.copy()
    rows = data.table.row[data.table.fold == 0]
    pixels[rows] = 255 - pixels[rows]
    np.save(tmp_path / "other.npy", pixels)
    first = run("a", stain_normalisation=stain)
    second = run("b", pack=str(tmp_path / "other.npy"), stain_normalisation=stain)
    assert first.report["model"] == second.report["model"]
    assert all(torch.equal(first.model[name], value) for name, value in second.model.items())
    assert not first.predictions.equals(second.predictions)


def test_another_seed_is_another_run(run):
    first, second = run("a", epochs=1), run("b", epochs=1, seed=4)
    assert not np.allclose(first.predictions.probability, second.predictions.probability)


@pytest.fixture
def states(monkeypatch) -> list:
    """The states that trainings find to go on from."""
    found, load = [], resume.load
    monkeypatch.setattr(resume, "load", lambda *args: found.append(load(*args)) or found[-1])
    return found


@pytest.mark.parametrize(
    "changes",
    [{}, {"stain_normalisation": "macenko"}, {"backbone": "resnet18", "epochs": 2}],
    ids=["tiny", "stain", "real"],
)
def test_a_run_that_was_killed_goes_on_with_the_same_bits(run, killed, states, changes):
    straight = run("a", **changes)
    killed("b", **changes)
    resumed = run("b", **changes)
    assert [bool(state) for state in states] == [False, False, True]
    assert same_bits(resumed, straight)
    assert {path.name for path in resumed.folder.iterdir()} == FILES


def rung(trained: Trained, epochs: int) -> dict:
    return json.loads((trained.folder / f"rung-{epochs}.json").read_text())


def facts(history: list[dict]) -> list[dict]:
    return [{key: row[key] for key in ("epoch", "train_loss", "val_auc", "lr")} for row in history]


@pytest.fixture
def epochs(monkeypatch) -> list[int]:
    """The epochs that are trained, in their order."""
    found = []
    monkeypatch.setattr(loop, "draw", lambda *args: found.append(1) or draw(*args))
    return found


@pytest.mark.parametrize("changes", [{}, {"scheduler": "one_cycle", "ema": 0.9}, {"start_size": 32}])
def test_a_run_that_pauses_at_rungs_has_the_same_bits_and_trains_no_epoch_twice(run, epochs, changes):
    changes = {"epochs": 4} | changes
    straight = run("a", **changes)
    epochs.clear()
    for end in (1, 3):
        paused = run("b", pause_after=end, **changes)
        assert facts(rung(paused, end)["history"]) == facts(straight.history.to_dict("records"))[:end]
        assert not FILES & {path.name for path in paused.folder.iterdir()}
        assert len(epochs) == end
    resumed = run("b", **changes)
    assert len(epochs) == 4
    assert same_bits(resumed, straight)
    assert {path.name for path in resumed.folder.iterdir()} == FILES | {"rung-1.json", "rung-3.json"}


def test_a_rung_is_read_from_a_run_that_came_further(run, epochs):
    """From one that is paused later, and from one that is finished; not where the code is another."""
    run("a", pause_after=2)
    assert len(rung(run("a", pause_after=1), 1)["history"]) == 1
    assert len(epochs) == 2
    finished = run("a")
    assert (
        facts(rung(run("a", pause_after=2), 2)["history"]) == facts(finished.history.to_dict("records"))[:2]
    )
    assert len(epochs) == 3
    run("a", pause_after=2, code="other")
    assert len(epochs) == 5


def test_a_run_that_is_killed_in_a_rung_goes_on(run, killed, epochs):
    straight = run("a")
    epochs.clear()
    killed("b", pause_after=2)
    run("b", pause_after=2)
    assert len(epochs) == 2
    assert same_bits(run("b"), straight)


def test_a_run_that_ends_by_patience_before_the_rung_is_what_it_was(run):
    changes = {"patience": 1, "lr": 1e-9, "epochs": 5}
    straight = run("a", **changes)
    assert len(straight.history) < 4
    paused = run("b", pause_after=4, **changes)
    assert len(rung(paused, 4)["history"]) == len(straight.history)
    assert same_bits(run("b", **changes), straight)
    assert rung(run("a", pause_after=4, **changes), 4)["history"] == straight.history.to_dict("records")


def test_a_run_that_fails_in_a_rung_says_why(run):
    changes = {"lr": 1e30, "epochs": 4}
    with pytest.raises(InputError, match="diverged"):
        run("a", pause_after=2, **changes)
    failed = run("a", pause_after=2, on_failure="compare_others", **changes)
    assert "training diverged" in rung(failed, 2)["failed"]
    assert not FILES & {path.name for path in failed.folder.iterdir()}


def test_a_run_that_was_killed_and_edited_starts_afresh(run, killed, states):
    edited = {"lr": 1e-3, "epochs": 2}
    straight = run("a", **edited)
    killed("b")
    afresh = run("b", **edited)
    assert states == [None] * 3
    assert same_bits(afresh, straight)
    assert {path.name for path in afresh.folder.iterdir()} == FILES


def test_a_run_whose_code_changed_starts_afresh(run, killed, states):
    killed("b", epochs=2)
    run("b", epochs=2, code="c0ffee")
    assert states == [None] * 2


def test_a_frozen_backbone_is_kept_as_it_was_loaded(run, settings, tmp_path):
    """Statistics of batch normalisation included."""
    torch.manual_seed(7)
    start = build(settings)
    path = str(tmp_path / "start.safetensors")
    safetensors.torch.save_file(start.state_dict(), path)
    after = run("a", epochs=1, freeze_backbone=True, weights=path).model
    before = start.state_dict()
    features = [name for name in before if name.startswith("features.")]
    assert len(features) == len(before) - 2
    assert all(torch.equal(after[name], before[name]) for name in features)


def test_only_one_training_has_a_folder(run, monkeypatch, caplog):
    """A lock is held by whoever opened its file, so this process can stand for another one."""
    from histopatch.engine import guard

    monkeypatch.setattr(guard, "PATIENCE", 0)
    folder = run("a", epochs=1).folder
    with contextlib.ExitStack() as held:
        held.enter_context(guard.exclusive(folder))
        threading.Timer(1.5, held.close).start()
        run("a", epochs=1)
    assert "another process is training in this folder" in caplog.text


def test_deterministic_algorithms_are_used_where_asked(run):
    try:
        run("a", epochs=1, deterministic=True)
        assert torch.are_deterministic_algorithms_enabled()
        run("a", epochs=1)
        assert not torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


def test_the_kept_model_has_the_names_of_a_classifier(run, settings):
    assert run("a", epochs=1).model.keys() == build(settings).state_dict().keys()


def test_training_computes_with_as_many_threads_as_it_is_given(run, monkeypatch):
    asked = []
    monkeypatch.setattr(train.torch, "set_num_threads", asked.append)
    run("a", epochs=1)
    assert asked == [1]


def test_the_report_says_how_to_build_the_model_again(run):
    model = run("a", epochs=1).report["model"]
    assert model == {
        "source": "tiny",
        "architecture": "tiny",
        "head": "fc",
        "explained_layer": "0",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "min_size": 32,
        "max_size": None,
        "arguments": None,
        "width": 6,
        "dropout": 0.2,
        "image_size": 32,
        "symmetries": False,
        "stain_normalisation": None,
    }


@pytest.mark.parametrize("method", ["macenko", "reinhard"])
def test_the_stain_is_that_of_the_patches_that_train(run, data, method):
    trained = run("a", epochs=1, stain_normalisation=method)
    rows = draw_sample(data.subsets["train"].rows, 3)
    expected = fit(method, data.patches.batches(rows, 8)).description()
    assert trained.report["model"]["stain_normalisation"] == expected
    assert "stain" in trained.report["seconds"]
    assert not trained.predictions.equals(run("b", epochs=1).predictions)


def test_little_memory_makes_for_small_steps(run, monkeypatch):
    """In the trial of formats, too: it would be killed first."""
    sizes, measure = [], train.choose_format

    def choose_format(model, settings, device, micro_batch, formats):
        sizes.append(micro_batch)
        return measure(model, settings, device, micro_batch, formats)

    monkeypatch.setattr(train, "choose_format", choose_format)
    plenty = run("a", epochs=1).report
    needed = micro_batch.training_bytes(build(Settings(**plenty["settings"])), 32, 2)
    monkeypatch.setattr(micro_batch, "available_bytes", lambda: int(needed / micro_batch.SHARE) + 1)
    short = run("b", epochs=1).report
    assert (plenty["micro_batch"], short["micro_batch"]) == (8, 2)
    assert sizes == [8, 2]


def test_what_takes_long_is_said_before_it_is_done(run, caplog):
    with caplog.at_level("INFO"):
        run("a", epochs=1)
    lines = [record.getMessage() for record in caplog.records]
    steps = ("reading", "building tiny", "choosing", "trying", "training for", "epoch 1 of 1")
    found = [next(i for i, line in enumerate(lines) if step in line) for step in steps]
    assert found == sorted(found)


# Trainings that fail.


def out_of_memory(*args, **options):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nMore about it")


@pytest.mark.input("Training", "No memory for even two patches at a time", "one line: what to make smaller")
@pytest.mark.parametrize("step", ["choose_format", "fit"])
def test_no_memory_is_one_line(run, monkeypatch, step):
    monkeypatch.setattr(train, step, out_of_memory)
    with pytest.raises(InputError, match=r"^out of memory even .* \(tiny, image_size 32\); .*$"):
        run("a")


def test_an_error_of_the_program_is_no_failed_run(run, monkeypatch):
    def broken(*args, **options):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(train, "fit", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        run("a", on_failure="compare_others")


def diverging_after(epochs: int, monkeypatch) -> None:
    """Let trainings end in the epoch after so many."""
    fit = train.fit

    def diverge(*args, save, **options):
        def save_and_diverge(state):
            save(state)
            if len(state["progress"]["history"]) == epochs:
                raise RunError("training diverged in epoch 3 (lr 0.01, fp32); lower lr")

        return fit(*args, save=save_and_diverge, **options)

    monkeypatch.setattr(train, "fit", diverge)


def test_where_failures_stop_nothing_is_written(run, tmp_path, monkeypatch):
    diverging_after(2, monkeypatch)
    with pytest.raises(InputError, match=r"^training diverged in epoch 3"):
        run("a")
    assert not FILES & {path.name for path in (tmp_path / "a/fold-0").iterdir()}


@pytest.mark.input(
    "Training",
    "A run that fails under `runtime.on_failure: compare_others`",
    "listed in the tables with the reason; the others go on",
)
def test_where_the_others_go_on_a_failure_is_written_down(run, settings, monkeypatch, caplog):
    diverging_after(2, monkeypatch)
    failed = run("a", on_failure="compare_others")
    assert {path.name for path in failed.folder.iterdir()} == FILES
    reason = "training diverged in epoch 3 (lr 0.01, fp32); lower lr"
    assert failed.report == {"settings": identity(replace(settings, epochs=3)), "fold": 0, "failed": reason}
    assert failed.history.epoch.tolist() == [1, 2]
    assert list(failed.predictions) == ["id", "label", "probability"]
    assert failed.predictions.empty
    assert failed.model == {}
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warning == (
        f"{reason}. The others go on without this run; to try it again, delete {failed.folder}"
    )


def test_a_failure_before_the_first_epoch_leaves_tables_with_their_columns(run, monkeypatch):
    columns = list(run("a").history)
    monkeypatch.setattr(train, "choose_format", out_of_memory)
    failed = run("b", on_failure="compare_others")
    assert list(failed.history) == columns
    assert failed.history.empty
    assert failed.report["failed"].startswith("out of memory")


def test_weights_that_do_not_fit_are_a_failed_run(run, tmp_path):
    torch.save({"0.weight": torch.ones(1)}, tmp_path / "weights.pth")
    failed = run("a", on_failure="compare_others", weights=str(tmp_path / "weights.pth"))
    assert "weights.pth: lacks" in failed.report["failed"]


def test_weights_that_are_replaced_during_the_training_stop_it(run, settings, tmp_path, monkeypatch):
    path, fit = tmp_path / "weights.pth", train.fit

    def replace_and_fit(*args, **options):
        torch.save(build(settings).state_dict() | {"0.extra": torch.ones(1)}, path)
        return fit(*args, **options)

    torch.save(build(settings).state_dict(), path)
    monkeypatch.setattr(train, "fit", replace_and_fit)
    with pytest.raises(InputError, match="weights to start from were changed during the training"):
        run("a", on_failure="compare_others", weights=str(path))
    assert not FILES & {file.name for file in (tmp_path / "a/fold-0").iterdir()}


def test_what_could_not_be_fetched_is_no_failed_run(run, monkeypatch):
    """Later it can be."""

    def offline(*args):
        raise InputError("weights: could not be fetched; go online")

    monkeypatch.setattr(train, "build", offline)
    with pytest.raises(InputError, match="go online"):
        run("a", on_failure="compare_others")


def test_a_machine_that_is_not_as_asked_is_no_failed_run(run, monkeypatch):
    """All runs would fail."""
    monkeypatch.setitem(RUNTIME, "device", "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="finds no GPU"):
        run("a", on_failure="compare_others")


def test_a_run_that_failed_can_be_tried_again(run, monkeypatch):
    straight = run("a")
    with monkeypatch.context() as patch:
        diverging_after(1, patch)
        run("b", on_failure="compare_others")
    assert same_bits(run("b"), straight)


def test_a_training_of_two_processes_that_was_killed_ends_with_the_same_bits(run, killed, tmp_path):
    """With batch statistics and dropout; the network is one that the other process can import."""
    changes = {"backbone": "resnet18", "gpus": 2, "epochs": 2, "lr": 1e-3}
    killed("killed", **changes)
    first, second = torch.load(tmp_path / "killed/fold-0/resume.pt")["random"]
    assert not torch.equal(first["cpu"], second["cpu"])  # each drops out other features
    resumed, whole = run("killed", **changes), run("whole", **changes)
    assert same_bits(resumed, whole)
    assert {path.name for path in whole.folder.iterdir()} == FILES
    assert whole.report["micro_batch"] == 4
    assert whole.history.val_auc.max() > 0.8


@pytest.mark.input("Training", "fewer patches on a side of a split than `gpus`", "one line")
def test_more_gpus_than_patches_is_one_line(run):
    with pytest.raises(InputError, match=r"^gpus: 16 are more than there are patches on a side of .*main"):
        run("many", gpus=16, batch_size=32)
