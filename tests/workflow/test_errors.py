"""What is wrong with the configuration is one line, before any job starts."""

import shutil

import pandas as pd
import pytest
from edits import append, configure
from plan import RUN_COMMAND, last_log, read_jobs, snakemake

NOTICE = "Using workflow specific profile profiles/default for setting default command line arguments."


def lines_of_refusal(project) -> list[str]:
    """What the plain command prints when it refuses to start."""
    before = sorted((project / "results").rglob("*"))
    status, output = snakemake(project, *RUN_COMMAND)
    assert status == 1, output
    assert sorted((project / "results").rglob("*")) == before
    return [line for line in output.splitlines() if line != NOTICE]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("dropout: 0.3", "dropuot: 0.3", ["experiments.small.studies.named.runs.slow", "'dropout'"]),
        ("epochs: 3\n", "epochs: three\n", ["experiments.small.defaults.epochs", "'three'"]),
        ("experiment: small", "experiment: smal", ["experiment", "'smal'", "small, other"]),
        ("study: rate,", "study: rates,", ["experiments.small.final.study", "'rates'"]),
        ("root: data/small", "root: data/none", ["data/none/train", "no such folder"]),
        ("groups.csv}\n", "groups.csv}\n    external: {site: {format: kaggle, root: data/none}}\n",
         ["experiments.small.external.site", "data/none/train"]),
    ],
    ids=["typo", "wrong type", "unknown experiment", "unknown study", "missing folder", "external folder"],
)  # fmt: skip
def test_an_error_is_one_line_that_names_the_key_or_path(project, old, new, named):
    configure(project, (old, new))
    (line,) = lines_of_refusal(project)
    assert line.startswith("Error: ")
    assert all(name in line for name in named), line


def test_a_missing_label_file_is_one_line_that_names_it(project):
    (project / "data/small/train_labels.csv").unlink()
    (line,) = lines_of_refusal(project)
    assert "data/small/train_labels.csv" in line


def test_the_call_that_a_cluster_gets_for_a_job_does_not_check_the_data_again(project):
    """It would read the names of all patches, for each of thousands of jobs."""
    (project / "data/small/slides.csv").write_text("id,slide\n")
    (line,) = lines_of_refusal(project)
    assert "slides" in line
    status, output = snakemake(project, *RUN_COMMAND, "--dry-run", "--mode", "remote")
    assert status == 0, output


def test_missing_data_of_another_experiment_is_no_error(project):
    absent = "    dataset: {format: kaggle, root: data/none}\n    studies: {only: {runs: {one: {}}}}\n"
    configure(project, ("experiments:\n", f"experiments:\n  absent:\n{absent}    final: {{study: only}}\n"))
    status, output = snakemake(project, *RUN_COMMAND, "--dry-run")
    assert status == 0, output
    assert "Nothing to be done" in output


def test_a_size_that_a_network_of_timm_does_not_take_stops_before_any_job(project):
    """Which only timm can tell, when there is a training to do."""
    configure(project, ("plain: {}", "plain: {}\n          vit: {backbone: timm/test_vit, image_size: 40}"))
    before = sorted((project / "results").rglob("*"))
    status, output = snakemake(project, *RUN_COMMAND)
    assert status == 1
    assert "Error: image_size: timm/test_vit does not take 40 px (Input height (40) should be" in output
    assert sorted((project / "results").rglob("*")) == before
    configure(project, ("image_size: 40", "image_size: 48, epochs: 1"))
    status, output = snakemake(project, *RUN_COMMAND)
    assert status == 0, output
    table = pd.read_csv(project / "results/small/tables/named.csv", index_col="run")
    assert table.backbone["vit"] == "timm/test_vit"
    assert table.folder["vit"].startswith("timm-test_vit-48px-")


def test_a_leak_stops_before_any_training_where_the_config_says_so(project):
    """The same image with either label, in a project whose runs are not there yet."""
    shutil.rmtree(project / "results/small/runs")
    shutil.copy2(project / "data/small/train/train005.tif", project / "data/small/train/added.tif")
    append(project / "data/small/train_labels.csv", "added,0\n")
    append(project / "data/small/slides.csv", "added,slide0\n")
    configure(project, ("seed: 1}", "seed: 1, on_leak: stop}"))
    status, output = snakemake(project, *RUN_COMMAND)
    assert status == 1
    assert "1 image pair with two labels; results/small/splits/main.audit.csv lists them" in output
    started = {job.rule for job in read_jobs(last_log(project))}
    assert "verdict" in started
    assert "train" not in started
    assert "added" in (project / "results/small/splits/main.audit.csv").read_text()
