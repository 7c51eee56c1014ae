"""The recommended recipe beside the notebook's, on patches of one's own, and what each ingredient adds.

    python benchmarks/recipe.py --data <a folder in Kaggle's layout>

The runs of benchmarks/recipe.yaml are trained by the workflow itself, in two-fold cross-validation over all
patches, so an interrupted call goes on where it was. Each is paired with the notebook's recipe, or with the
whole recipe, patch by patch (DeLong). Speeds are measured in turn, round by round, in processes of their own,
because machines are shared and drift: the notebook's in its own loop, the others in the engine.
"""

import argparse
import copy
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from machine import describe_machine, table
from training_speed import BATCH, BATCHES, make_data, notebook

from histopatch import cores

ROOT = Path(__file__).parents[1]
NOTEBOOK, RECIPE = "notebook", "whole"
# AUROC over the notebook's, by the share of its time.
TARGETS = {0.25: 0.010, 0.5: 0.018, 1.0: 0.025}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="train/ and train_labels.csv")
    parser.add_argument("--rounds", type=int, default=3, help="of measuring speeds")
    parser.add_argument("--contestant", help=argparse.SUPPRESS)
    parser.add_argument("--patches", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contestant:
        print(json.dumps(_speeds(json.loads(arguments.contestant), Path(arguments.patches))))
        return
    config = _read_config(arguments.data)
    studies = config["experiments"]["recipe"]["studies"]
    names = ("recipes", "ablation", "unseen_appearance")
    recipes, ablation, unseen = (list(studies[name]["runs"]) for name in names)
    members = _members(config)
    _run_workflow(config)
    print(describe_machine())
    predictions = {name: _predictions(member) for name, member in members.items()}
    costs = _costs({name: members[name] for name in recipes}, arguments.rounds)
    print(table([_recipe_row(name, predictions, costs) for name in recipes]))
    print()
    print(table([{"the recipe": name, **_paired(name, RECIPE, predictions)} for name in ablation]))
    print()
    # The folds differ in their share of positives and are predicted by networks that have seen other stains.
    pairs = [_paired(name, unseen[0], predictions, within_folds=True) for name in unseen]
    print(table([{"the recipe": name, **pair} for name, pair in zip(unseen, pairs, strict=True)]))


# --- the runs ---------------------------------------------------------------------------------------


def _read_config(data: Path) -> dict:
    """The configuration of the runs, on the folder of the patches."""
    config = yaml.safe_load((ROOT / "benchmarks/recipe.yaml").read_text())
    config["experiments"]["recipe"]["dataset"]["root"] = str(data.resolve())
    return config


def _members(config: dict) -> dict[str, dict]:
    """Folder, settings and number of folds of each run by name."""
    from histopatch.config import load
    from histopatch.experiment import read_experiment

    section = load(copy.deepcopy(config))["experiments"]["recipe"]
    return {member["run"]: member for member in read_experiment("recipe", section).members}


def _run_workflow(config: dict) -> None:
    path = ROOT / "results/recipe.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(config))
    options = ["--cores", "all", "--resources", "gpu=1", "--configfile", str(path), "--"]
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = ["snakemake", *options, "results/recipe/tables/runs.csv"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"PATH": programs}, check=True)


def _predictions(member: dict):
    """Label and out-of-fold probability of every patch, sorted by id."""
    from histopatch.evaluation.predictions import fold_folders, known_patches, read_predictions

    folders = fold_folders(member, str(ROOT / "results/recipe/runs"))
    with known_patches(ROOT / f"results/recipe/splits/{member['settings']['split']}.csv") as patches:
        return read_predictions([folder / "predictions.csv" for folder in folders], patches)


# --- what they cost ---------------------------------------------------------------------------------


def _costs(members: dict[str, dict], rounds: int) -> dict[str, dict]:
    """By recipe: training time as a share of the notebook's, round by round, and predictions per second."""
    found: dict[str, list[dict]] = {name: [] for name in members}
    with tempfile.TemporaryDirectory() as data:
        make_data(Path(data), images=BATCH * (BATCHES["cpu"] + 1))
        for number in range(rounds):
            for name, member in members.items():
                found[name].append(_run_contestant(name, member["settings"], data))
                print(f"round {number + 1} {name}: {found[name][-1]}", file=sys.stderr)
    notebook_seconds = [one["train_seconds_per_patch"] for one in found[NOTEBOOK]]
    costs = {}
    for name, measured in found.items():
        seconds = [one["train_seconds_per_patch"] for one in measured]
        costs[name] = {
            "shares": [a / b for a, b in zip(seconds, notebook_seconds, strict=True)],
            "predicted": statistics.median(one["predicted_per_second"] for one in measured),
        }
    return costs


def _run_contestant(name: str, settings: dict, data: str) -> dict:
    asked = None if name == NOTEBOOK else settings
    command = [sys.executable, __file__, "--data", data, "--patches", data]
    command += ["--contestant", json.dumps({"settings": asked, "epochs": settings["epochs"]})]
    environment = os.environ | ({} if name == NOTEBOOK else cores.ENVIRONMENT)
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _speeds(contestant: dict, data: Path) -> dict:
    """What one patch costs in a whole training, and how many patches are predicted in a second."""
    import training_speed

    if contestant["settings"] is None:
        case = ("efficientnet_lite0", 224, "cpu", data)
        seconds = contestant["epochs"] / notebook(*case)
        return {
            "train_seconds_per_patch": seconds,
            "predicted_per_second": training_speed.notebook_inference(*case),
        }
    return _engine_speeds(contestant["settings"], data)


def _engine_speeds(identity: dict, data: Path) -> dict:
    import time

    import torch

    from histopatch.engine.loop import Subset, fit
    from histopatch.engine.patches import Patches
    from histopatch.engine.phases import Phases
    from histopatch.engine.sizes import training_size
    from histopatch.engine.train import make_network
    from histopatch.settings import Settings

    torch.set_num_threads(cores.available_cores())
    settings, device = Settings(**identity), torch.device("cpu")
    patches, rows = Patches(str(data / "train.npy"), device), torch.arange(BATCH * BATCHES["cpu"])
    labels = (rows % 2).float()
    sizes = [training_size(settings, epoch) for epoch in range(1, settings.epochs + 1)]
    seconds = 0.0
    for size in sorted(set(sizes)):
        # The first epoch is not counted: memory is new then.
        asked = replace(settings, image_size=size, start_size=0, epochs=2, tta=False, weights="none")
        network, _, _ = make_network(asked, device, data / "formats", Phases())
        subsets = Subset(rows, labels), Subset(rows[:8], labels[:8])
        done, _ = fit(network, asked, patches, *subsets, asked.batch_size)
        seconds += sizes.count(size) / done.history[-1]["images_per_second"]
    network, _, _ = make_network(replace(settings, weights="none"), device, data / "formats", Phases())
    started = time.perf_counter()
    network.predict(patches, rows, settings.batch_size)
    predicted = len(rows) / (time.perf_counter() - started)
    return {"train_seconds_per_patch": seconds, "predicted_per_second": predicted}


# --- tables -----------------------------------------------------------------------------------------


def _recipe_row(name: str, predictions: dict, costs: dict) -> dict:
    shares = costs[name]["shares"]
    row = {"recipe": name, **_paired(name, NOTEBOOK, predictions)}
    row["time of the notebook's"] = f"{statistics.median(shares):.2f} ({min(shares):.2f}–{max(shares):.2f})"
    reached = [gain for share, gain in TARGETS.items() if statistics.median(shares) <= share]
    row["target"] = "" if name == NOTEBOOK or not reached else f"≥ {reached[0]:.3f}"
    row["predicted img/s"] = f"{costs[name]['predicted']:.0f}"
    return row


def _paired(name: str, other: str, predictions: dict, within_folds: bool = False) -> dict:
    """AUROC, pooled over folds or their mean, and its difference to another run on the same patches."""
    from histopatch.statistics.auroc import delong, delong_contrasts

    runs = [predictions[name], predictions[other]]
    scores = [run.probabilities for run in runs]
    folds = [run.folds if within_folds else 0 * run.folds for run in runs]
    row = {"AUROC": f"{delong(runs[0].labels, scores[0], folds=folds[0]).area:.4f}"}
    if name == other:
        return row | {f"over {other}": "", "p": ""}
    (gain,) = delong_contrasts(runs[0].labels, scores, [(1, -1)], folds=folds)
    interval = f"{gain.difference:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})"
    return row | {f"over {other}": interval, "p": f"{gain.p_value:.3g}"}


if __name__ == "__main__":
    main()
