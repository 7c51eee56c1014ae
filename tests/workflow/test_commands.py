"""The commands for people who do not read Snakemake's plan."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from edits import configure
from plan import folders, run


def command(project: Path, name: str, *arguments: str) -> tuple[int, str]:
    """Call a command in a project; return its exit status and what it printed."""
    done = subprocess.run(
        [sys.executable, f"workflow/commands/{name}.py", *arguments],
        cwd=project, env=os.environ | {"PYTHONPATH": "workflow"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout


def test_status_says_when_there_is_nothing_to_do(project):
    assert command(project, "status") == (0, "small: nothing to do, everything is up to date.\n")


def test_status_names_the_trainings_and_the_reason(project):
    configure(project, ("dropout: 0.3", "dropout: 0.4"))
    (folder,) = folders(project, "named/slow")
    status, output = command(project, "status")
    assert status == 0
    assert "small: the next run would train 1 run." in output
    assert f"  training `named: slow`: dropout 0.3 → 0.4\n    {folder}\n" in output
    assert "comparing the runs" in output.partition("Other steps: ")[2]
    assert "a final training of the winner, unless it exists already" in output


def test_status_tells_an_edit_of_code_from_a_missing_result(project):
    with (project / "workflow/histopatch/engine/loop.py").open("a") as module:
        module.write("\nANOTHER = 1\n")
    _, output = command(project, "status")
    assert "  training `named: plain` (in rate, too): its code changed\n" in output
    assert "new" not in output


def test_status_says_from_what_to_what_a_setting_changed(project):
    configure(project, ("overrides: {epochs: 4}", "overrides: {epochs: 5}"))
    _, output = command(project, "status")
    assert "  choosing the best run: final training: epochs 4 → 5\n" in output
    configure(project, ("brightness: 0.2}", "brightness: 0.2, rotation: 45}"))
    _, output = command(project, "status")
    assert "  training `named: bright`: rotation 90 → 45\n" in output


def test_status_counts_the_images_that_came_and_went(project):
    test = project / "data/small/test"
    for name in ("new1.tif", "new2.tif"):
        shutil.copy(test / "test004.tif", test / name)
    _, output = command(project, "status")
    assert "  packing the test images: two test images added\n" in output
    assert ": follows from the above\n" in output


def test_status_names_the_file_that_changed_or_is_missing(project):
    with (project / "data/small/train_labels.csv").open("a") as labels:
        labels.write("train000,0\n")
    (project / "results/small/figures/augmentation.png").unlink()
    _, output = command(project, "status")
    assert "  cleaning the labels: data/small/train_labels.csv changed\n" in output
    assert (
        "  drawing the figure `augmentations`: results/small/figures/augmentation.png is missing\n" in output
    )


def test_status_ends_with_one_line_where_the_config_is_wrong(project):
    status, output = command(project, "status", "--experiment", "smal")
    assert status == 1
    assert output.count("\n") == 1
    assert "there is no experiment 'smal'" in output


def test_prune_lists_what_no_configuration_names_and_removes_it_when_told(project):
    assert "Nothing to remove: the configuration of small names all" in command(project, "prune")[1]
    (old,) = folders(project, "named/slow")
    configure(project, ("dropout: 0.3", "dropout: 0.4"))
    named = {path.name for path in (project / "results/small/runs").iterdir()} - {old}

    assert f"results/small/runs/{old}" in command(project, "prune")[1]
    assert (project / "results/small/runs" / old).is_dir()
    assert "Removed 1." in command(project, "prune", "--remove")[1]
    assert {path.name for path in (project / "results/small/runs").iterdir()} == named


def test_status_counts_the_folds_of_a_run(project):
    configure(project, ("folds: 2", "folds: 3"))
    _, output = command(project, "status")
    assert "  training `named: crossed` (3 folds): follows from making the split `crossed`\n" in output
    assert "  making the split `crossed`: folds 2 → 3\n" in output


def test_prune_finds_the_folds_that_a_run_no_longer_has(project):
    (folder,) = folders(project, "named/crossed")
    configure(project, ("folds: 2", "validation_fraction: 0.3"))
    output = command(project, "prune")[1]
    assert f"results/small/runs/{folder}/fold-1" in output
    assert "fold-0" not in output


def test_nothing_is_removed_while_the_workflow_is_at_work(project):
    (folder,) = folders(project, "named/crossed")
    configure(project, ("folds: 2", "validation_fraction: 0.3"))
    with open(project / ".snakemake/histopatch.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, output = command(project, "prune", "--remove")
    assert status == 1
    assert output.startswith("Error: snakemake is at work in this folder")
    assert (project / f"results/small/runs/{folder}/fold-1").is_dir()


def test_what_prune_and_verify_tell_to_call_is_for_the_same_experiment(project):
    other = project / "other.yaml"
    text = (project / "config.yaml").read_text()
    other.write_text(yaml.safe_dump({"experiments": {"copy": yaml.safe_load(text)["experiments"]["small"]}}))
    shutil.copytree(project / "results/small", project / "results/copy")
    configure(project, ("folds: 2", "validation_fraction: 0.3"))
    chosen = ("--configfile", "config.yaml", "other.yaml", "--experiment", "copy")
    (project / "results/copy/features").mkdir(exist_ok=True)
    (project / "results/copy/features/resnet18-32px-0000000000.npy").write_bytes(b"old")
    told = command(project, "prune", *chosen)[1].splitlines()[-1]
    assert told.endswith('make prune CONFIGS="config.yaml other.yaml" EXPERIMENT=copy REMOVE=1')
    replace_an_image(project)
    told = command(project, "verify", *chosen)[1].splitlines()[-1]
    assert told.endswith(
        "--forcerun results/copy/pack/train.npy --configfile config.yaml other.yaml --config experiment=copy"
    )


def test_prune_finds_the_banks_that_no_run_reads(project):
    features = project / "results/small/features"
    features.mkdir()
    (features / "resnet18-32px-0000000000.npy").write_bytes(b"old")
    assert "features/resnet18-32px-0000000000.npy" in command(project, "prune")[1]
    assert "Removed 1." in command(project, "prune", "--remove")[1]
    assert not list(features.iterdir())


def test_verify_finds_an_image_that_was_replaced_in_place(project):
    assert command(project, "verify") == (0, "All packed images of small are unchanged.\n")
    replace_an_image(project)
    status, output = command(project, "verify")
    assert status == 1
    assert output.count("changed: ") == 1
    assert "changed: data/small/train/train003.tif\n" in output
    assert "--forcerun results/small/pack/train.npy" in output


def test_what_verify_says_packs_the_shards_of_a_replaced_image_again(project):
    pack = "results/small/pack/train.npy"
    configure(project, ("root: data/small,", "root: data/small, shards: 3,"))
    run(project, pack, "results/small/pack/test.npy")
    assert command(project, "verify")[0] == 0
    replace_an_image(project)
    status, output = command(project, "verify")
    assert status == 1
    said = output.splitlines()[-1].partition("snakemake ")[2].split()
    run(project, *said[said.index("--forcerun") :], "--", pack)
    assert command(project, "verify")[0] == 0


def replace_an_image(project: Path) -> None:
    train = project / "data/small/train"
    (train / "train003.tif").unlink()  # copies of the project share their images
    shutil.copy(train / "train004.tif", train / "train003.tif")
