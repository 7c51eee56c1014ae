"""Exactly what an edit touches reruns, and nothing else."""

import ast
import os
import shutil
from pathlib import Path

import pytest
import yaml
from edits import append, configure, modules, replace, sources, touch
from plan import (
    AGGREGATION,
    AUDIT,
    AUGMENTATION,
    EXPLANATION,
    EXPLORATION,
    FIGURES,
    FINAL,
    FLOW,
    LABEL_ERRORS,
    MODEL,
    PERFORMANCE,
    SUBGROUPS,
    config_of,
    folders,
    plan,
    read_jobs,
    run,
    snakemake,
)

GRID = "lr: [1.0e-4, 1.0e-12]"
PACKS_OF_OTHER = ("results/other/pack/train.npy", "results/other/pack/test.npy")
OTHER = (*PACKS_OF_OTHER, "--config", "experiment=other")
# What is made of the labels.
LABELLED = AGGREGATION | EXPLORATION | AUDIT | FLOW | {"clean", "groups", "split", "train"}
APPEARANCE = {"appearance", "clusters"}
OF_TRAIN_IMAGES = LABELLED | AUGMENTATION | APPEARANCE | {"pack", "check_images", "duplicates"}
EVERY_RULE = OF_TRAIN_IMAGES | FINAL | {"test_ids"}


# --- edits that change nothing ----------------------------------------------------------------------


def test_a_finished_project_has_nothing_to_do(project):
    assert plan(project).rules == set()


def test_touched_sources_rerun_nothing(project):
    for path in sources(project):
        touch(path)
    assert plan(project).rules == set()


def test_sources_that_are_written_anew_rerun_nothing(project):
    """As `git switch` to another branch and back does it."""
    for path in sources(project):
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    assert plan(project).rules == set()


def test_reordered_keys_rerun_nothing(project):
    (project / "config.yaml").write_text(yaml.safe_dump(reverse(config_of(project)), sort_keys=False))
    assert plan(project).rules == set()


def reverse(value):
    """Keys in the opposite order, at every depth."""
    return {k: reverse(value[k]) for k in reversed(value)} if isinstance(value, dict) else value


def test_keys_that_spell_out_a_default_rerun_nothing(project):
    configure(
        project,
        ("    figures:", "    cleaning: {near_blank_std: 6, bad_rows: reject}\n    figures:"),
    )  # fmt: skip
    assert plan(project).rules == set()


def test_a_comment_in_the_config_reruns_nothing(project):
    configure(project, ("      lr: 1.0e-4", "      # the learning rate\n      lr: 1.0e-4  # of AdamW"))
    assert plan(project).rules == set()


@pytest.mark.parametrize("number", ["1e-4", "0.0001", "1.0e-04", ".1e-3"])
def test_a_number_in_another_form_reruns_nothing(project, number):
    configure(project, ("      lr: 1.0e-4", f"      lr: {number}"), (GRID, f"lr: [{number}, 1e-12]"))
    assert plan(project).rules == set()


def test_runtime_knobs_rerun_nothing(project):
    configure(
        project, ("{workers: 1}", "{workers: 2, device: cpu, on_failure: compare_others, log_level: debug}")
    )
    assert plan(project, "--cores", "2").rules == set()


def test_an_edit_of_the_other_experiment_reruns_nothing(project):
    configure(project, ("    defaults: {backbone: resnet18", "    defaults: {epochs: 9, backbone: resnet18"))
    assert plan(project).rules == set()


def test_prose_and_layout_of_code_rerun_nothing(project):
    for module in modules(project):
        # Without comments, in another layout, with a docstring in front.
        module.write_text('"""Prose."""\n\n\n' + ast.unparse(without_docstring(module)) + "\n# A comment.\n")
    assert plan(project).rules == set()


def without_docstring(module: Path) -> ast.Module:
    tree = ast.parse(module.read_text())
    if ast.get_docstring(tree) is not None:
        del tree.body[0]
    return tree


# --- edits of runs ----------------------------------------------------------------------------------


def test_a_setting_of_one_run_trains_that_run(project):
    configure(project, ("dropout: 0.3", "dropout: 0.4"))
    jobs = plan(project)
    assert jobs.known == AGGREGATION | {"train"}
    assert jobs.trainings == folders(project, "named/slow")


def test_swapped_settings_are_an_edit(project):
    configure(project, ("      lr: 1.0e-4\n", "      lr: 1.0e-2\n"), ("decay: 1.0e-2", "decay: 1.0e-4"))
    assert plan(project).trainings == all_runs(project)


def test_an_undone_edit_finds_the_old_training(project):
    configure(project, ("dropout: 0.3", "dropout: 0.4"))
    edited = run(project, "results/small/tables/runs.csv")
    assert edited.trainings == folders(project, "named/slow")
    configure(project, ("dropout: 0.4", "dropout: 0.3"))
    assert plan(project).known == AGGREGATION


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("config.yaml", "precision: fp32", "precision: fp32\n      dropout: 0.25"),
        ("workflow/schemas/config.schema.yaml", "exclusiveMaximum: 1, default: 0.2,",
         "exclusiveMaximum: 1, default: 0.25,"),
    ],
    ids=["of the experiment", "of the schema"],
)  # fmt: skip
def test_a_default_trains_the_runs_that_inherit_it(project, file, old, new):
    before = {*folders(project, "named/plain", "named/bright", "named/crossed", *grid(1e-4, 1e-12))}
    replace(project / file, (old, new))
    jobs = plan(project)
    assert jobs.known == AGGREGATION | {"train"}
    assert len(jobs.trainings) == len(before) == 4
    assert not jobs.trainings & (before | folders_of_results(project))


def grid(*rates: float) -> list[str]:
    return [f"rate/lr={rate:g}" for rate in rates]


def folders_of_results(project: Path) -> set[str]:
    return {path.name for path in (project / "results/small/runs").iterdir()}


def test_a_renamed_run_is_aggregated_only(project):
    configure(project, ("slow: {", "leisurely: {"))
    assert plan(project).known == AGGREGATION


def test_the_same_configuration_in_a_second_study_is_aggregated_only(project):
    same = "{pos_weight: true, dropout: 0.3, lr: 1.0e-5}"
    configure(project, ("      rate:\n", f"      again: {{runs: {{same: {same}}}}}\n      rate:\n"))
    jobs = plan(project)
    assert jobs.known == AGGREGATION
    assert "results/small/tables/again.csv" in jobs.outputs


@pytest.mark.parametrize(
    ("old", "new", "added"),
    [
        ("plain: {}", "plain: {}\n          more: {epochs: 2}", "named/more"),
        (GRID, "lr: [1.0e-4, 1.0e-12, 1.0e-6]", "rate/lr=1e-06"),
    ],
    ids=["run", "grid value"],
)
def test_an_added_run_is_trained_alone(project, old, new, added):
    configure(project, (old, new))
    jobs = plan(project)
    assert jobs.known == AGGREGATION | {"train"}
    assert jobs.trainings == folders(project, added)


@pytest.mark.parametrize(
    ("old", "new"),
    [("          slow: {lr: 1.0e-5, dropout: 0.3, pos_weight: true}\n", ""), (GRID, "lr: [1.0e-4]")],
    ids=["run", "grid value"],
)
def test_a_removed_run_is_aggregated_only(project, old, new):
    configure(project, (old, new))
    assert plan(project).known == AGGREGATION


# --- the final training -----------------------------------------------------------------------------


def test_a_losing_run_leaves_the_final_model_alone(project):
    configure(project, (GRID, "lr: [1.0e-4, 1.0e-12, 1.0e-11]"))
    jobs = run(project)
    assert jobs.trainings == folders(project, "rate/lr=1e-11")
    # Among how many the winner was chosen stands beside the metrics.
    assert jobs.rules == AGGREGATION | PERFORMANCE | MODEL | {
        "train",
        "final_metrics",
        "errors",
        "summary",
        "checklists",
    }
    assert plan(project).rules == set()


def test_a_winning_run_is_trained_once_more_as_the_final_model(project):
    configure(project, (GRID, "lr: [1.0e-4, 1.0e-12, 1.0e-3]"))
    jobs = run(project)
    assert jobs.trainings == folders(project, "rate/lr=0.001", "final of rate/lr=0.001")
    assert jobs.rules == AGGREGATION | FINAL | {"train"}
    assert [jobs.count(rule) for rule in ("train", "predict_test", "submission")] == [2, 1, 1]
    assert plan(project).rules == set()


def test_the_resolution_of_the_patches_reaches_the_exported_model_alone(project):
    where = "groups: data/small/groups.csv"
    configure(project, (where, f"{where}, microns_per_pixel: 0.5"))
    assert plan(project).rules == MODEL


def test_an_override_of_the_final_training_trains_it_alone(project):
    configure(project, ("overrides: {epochs: 4}", "overrides: {epochs: 5}"))
    assert plan(project).known == {"best"}
    jobs = run(project)
    assert jobs.trainings == folders(project, "final of rate/lr=0.0001")
    assert jobs.rules == FINAL | {"best", "train"}


@pytest.mark.parametrize(
    ("new", "stale"),
    [
        ("overrides: {epochs: 4}, calibrated: true", {"submission"}),
        ("overrides: {epochs: 4}, unusable_images: 0.5", {"test_ids", "submission", "summary"}),
        (
            "overrides: {epochs: 4}, prevalences: [0.3]",
            PERFORMANCE | MODEL | {"final_metrics", "errors", "summary", "checklists"},
        ),
        ("overrides: {epochs: 4}, select: best", set()),
    ],
)
def test_what_is_made_of_the_final_model_is_made_anew_without_a_training(project, new, stale):
    configure(project, ("overrides: {epochs: 4}", new))
    assert plan(project).rules == stale


# --- the report -------------------------------------------------------------------------------------


@pytest.mark.parametrize("old, new", [("per_class: 3", "per_class: 4"), ("slow: {", "slower: {")])
def test_the_report_is_written_again_with_what_it_shows(project, old, new):
    configure(project, (old, new))
    status, output = snakemake(project, "--dry-run")
    assert status == 0, output
    assert [job.rule for job in read_jobs(output)].count("report") == 1


@pytest.mark.parametrize("file", ["page/page.html", "page/page.css", "page/page.js", "roc.rst"])
def test_a_text_of_the_report_writes_it_alone(project, file):
    append(project / "workflow/report" / file, "\n")
    assert plan(project).rules == {"report"}


def test_a_caption_that_the_report_does_not_show_changes_nothing(project):
    append(project / "workflow/report/submission.rst", "\n")
    assert plan(project).rules == set()


# --- edits of figures -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "redrawn"),
    [
        ("dpi: 60", "dpi: 70", FIGURES),
        ("top_runs: 4", "top_runs: 3", {"figure_top_runs"}),
        ("per_class: 3", "per_class: 4", {"figure_examples"}),
        ("per_class: 3, seed: 5", "per_class: 5, seed: 3", {"figure_examples"}),
    ],
    ids=["resolution", "option of one figure", "nested option", "swapped values"],
)
def test_a_figure_option_redraws_the_figures_that_use_it(project, old, new, redrawn):
    configure(project, (old, new))
    assert plan(project).rules == redrawn


# --- edits of the data ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"), [("seed: 1}", "seed: 2}"), ("fraction: 0.25", "fraction: 0.3")], ids=["seed", "fraction"]
)
def test_a_split_reruns_what_follows_it(project, old, new):
    configure(project, (old, new))
    jobs = plan(project)
    assert jobs.known == AGGREGATION | AUDIT | FLOW | {"split", "train"}
    assert jobs.trainings == all_runs(project) - folders(project, "named/crossed")


def all_runs(project: Path) -> set[str]:
    return folders(project, "named/plain", "named/slow", "named/bright", "named/crossed", *grid(1e-4, 1e-12))


def test_another_number_of_folds_trains_the_runs_of_that_split(project):
    configure(project, ("folds: 2", "folds: 3"))
    jobs = plan(project)
    assert jobs.known == AGGREGATION | AUDIT | FLOW | {"split", "train"}
    assert jobs.trainings == folders(project, "named/crossed")
    assert jobs.count("train") == 3


def test_a_slide_map_reruns_what_follows_it(project):
    replace(project / "data/small/slides.csv", ("train007,slide3\n", "train007,slide4\n"))
    assert plan(project).known == AGGREGATION | AUDIT | FLOW | {"groups", "split", "train"}


def test_another_group_of_a_slide_trains_nothing(project):
    replace(project / "data/small/groups.csv", ("slide3,A\n", "slide3,B\n"))
    assert plan(project).rules == SUBGROUPS | {"groups", "summary", "model_card"}


def test_the_group_of_a_slide_splits_anew_where_a_split_keeps_groups_whole(project):
    configure(project, ("group_by: slide", "group_by: site"))
    assert plan(project).known == AGGREGATION | AUDIT | FLOW | {"split", "train"}
    run(project, "results/small/splits/crossed.csv")
    replace(project / "data/small/groups.csv", ("slide3,A\n", "slide3,B\n"))
    assert {"groups", "split"} <= plan(project, "results/small/splits/crossed.csv").rules


def test_what_a_leak_does_trains_nothing(project):
    configure(project, ("folds: 2,", "folds: 2, on_leak: stop,"))
    assert plan(project).known == AGGREGATION | {"verdict"}


def test_repeats_train_only_what_is_added(project):
    configure(project, ("      rate:\n", "      rate:\n        repeats: 2\n"))
    jobs = plan(project)
    assert jobs.known == AGGREGATION | {"train"}
    added = {f"rate/{name},seed=43" for name in ("lr=0.0001", "lr=1e-12")}
    assert jobs.trainings == folders(project, *added)


def test_a_label_reruns_what_depends_on_it(project):
    replace(project / "data/small/train_labels.csv", ("train007,1\n", "train007,0\n"))
    jobs = plan(project)
    assert jobs.known == LABELLED
    assert jobs.trainings == all_runs(project)


def test_a_touched_label_file_reruns_nothing(project):
    touch(project / "data/small/train_labels.csv")
    touch(project / "data/small/sample_submission.csv")
    assert plan(project).rules == set()


def test_a_cleaning_rule_never_repacks(project):
    configure(project, ("    figures:", "    cleaning: {near_blank: reject}\n    figures:"))
    assert plan(project).known == LABELLED


def add_image(folder: Path) -> None:
    shutil.copy2(next(folder.glob("*.tif")), folder / "added.tif")


def remove_image(folder: Path) -> None:
    next(folder.glob("*.tif")).unlink()


@pytest.mark.parametrize("edit", [add_image, remove_image])
def test_another_set_of_train_images_reruns_the_train_pack_and_what_follows(project, edit):
    edit(project / "data/small/train")
    jobs = plan(project)
    assert jobs.known == OF_TRAIN_IMAGES
    assert packed(jobs) == {"train"}


@pytest.mark.parametrize("edit", [add_image, remove_image])
def test_another_set_of_test_images_trains_nothing(project, edit):
    (project / "data/small/sample_submission.csv").unlink()  # which names the image that is removed
    edit(project / "data/small/test")
    jobs = plan(project)
    assert jobs.rules == {"pack", "check_images", "predict_test", "test_ids", "submission", "summary"}
    assert packed(jobs) == {"test"}


def packed(jobs) -> set[str]:
    return {job.wildcards["part"] for job in jobs.jobs if job.rule == "pack"}


@pytest.mark.parametrize(
    ("data", "call"), [("data/small", ()), ("results/other/source", OTHER)], ids=["given", "made"]
)
def test_stray_files_and_touched_folders_rerun_nothing(project, data, call):
    for part in ("train", "test"):
        (project / data / part / ".DS_Store").write_text("stray")
        (project / data / part / "notes.txt").write_text("stray")
        os.utime(project / data / part)
    os.utime(project / data)
    assert plan(project, *call).rules == set()


def test_data_that_are_made_otherwise_are_packed_anew(project):
    configure(project, ("slides: 4, seed: 7", "slides: 4, seed: 8"))
    assert plan(project, *OTHER).rules == {"synthetic", "pack"}


# --- deleted files ----------------------------------------------------------------------------------


def test_every_file_is_asked_for(project):
    """Snakemake misses no file that only jobs which are up to date read, so each has to be a target."""
    made = [path for path in (project / "results/small").rglob("*") if path.is_file()]
    others = [path for path in made if path.parent.name == "logs" or path.name.endswith(".lock")]
    kept = {str(path.relative_to(project)) for path in {*made} - {*others}}
    shutil.rmtree(project / "results/small/figures")  # so that the target rule shows in the plan
    status, output = snakemake(project, "--dry-run")
    assert status == 0, output
    wanted = next(line for line in output.split("rule all:\n")[1].splitlines() if "input:" in line)
    assert kept - set(wanted.removeprefix("    input: ").split(", ")) == set()


@pytest.mark.parametrize(
    ("file", "remade"),
    [
        ("submission.csv", {"submission"}),
        ("figures/cost.png", {"figure_cost"}),
        ("explore/rgb_histograms.csv", {"rgb_histograms", "figure_rgb_histograms"}),
        ("explore/augmentation.npz", AUGMENTATION),
        ("final/test_predictions.csv", {"predict_test", "submission"}),
        ("final/best.json", {"best"}),
        ("tables/runs.csv", AGGREGATION),
        ("tables/seeds.csv", {"seeds", "summary", "model_card"}),
        ("tables/summary.md", {"summary"}),
        ("final/errors.csv", {"errors"}),
        ("final/model/model.safetensors", {"export", "model_card"}),
        ("final/model/model.onnx", {"export", "model_card"}),
        ("final/model/README.md", {"model_card"}),
        ("report.html", {"report"}),
        ("tables/tripod_ai.csv", {"checklists"}),
        ("splits/main.flow.csv", FLOW | {"checklists", "model_card"}),
        ("pack/train.clusters.csv", SUBGROUPS | {"clusters", "summary", "model_card"}),
        ("labels/groups.csv", SUBGROUPS | {"groups", "summary", "model_card"}),
        ("final/heterogeneity.csv", SUBGROUPS | {"summary", "model_card"}),
        ("final/suspect_labels.csv", LABEL_ERRORS | {"summary", "checklists"}),
        ("splits/main.audit.csv", AGGREGATION | AUDIT),
        ("final/roc.csv", PERFORMANCE | MODEL | {"final_metrics", "errors", "summary", "checklists"}),
        (
            "final/held_out_predictions.csv",
            PERFORMANCE
            | EXPLANATION
            | LABEL_ERRORS
            | MODEL
            | {"predict_held_out", "final_metrics", "errors", "explain", "summary", "checklists"},
        ),
        ("labels/summary.json", LABELLED),
        ("labels/test_ids.csv", {"test_ids", "submission", "summary"}),
        ("explore/giveaways.csv", {"giveaways", "summary", "checklists", "model_card"}),
        ("pack/test.npy", {"pack", "check_images", "predict_test", "test_ids", "submission", "summary"}),
        ("pack/train.npy", OF_TRAIN_IMAGES),
    ],
)
def test_a_deleted_file_is_made_again_with_what_needs_it(project, file, remade):
    (project / "results/small" / file).unlink()
    jobs = plan(project)
    assert jobs.known == remade
    assert f"results/small/{file}" in jobs.outputs


def test_a_deleted_run_is_trained_again(project):
    (deleted,) = folders(project, "named/slow")
    shutil.rmtree(project / "results/small/runs" / deleted)
    jobs = plan(project)
    assert jobs.known == AGGREGATION | {"train"}
    assert jobs.trainings == {deleted}


def test_a_deleted_final_run_is_trained_again(project):
    (deleted,) = folders(project, "final of rate/lr=0.0001")
    shutil.rmtree(project / "results/small/runs" / deleted)
    jobs = plan(project)
    assert jobs.rules == FINAL | {"train"}
    assert jobs.trainings == {deleted}


# --- edits of code ----------------------------------------------------------------------------------


# What is made from what a rule makes.
BELOW = {
    "pack": EVERY_RULE,
    "duplicates": AGGREGATION | AUDIT,
    "appearance": {"clusters", "summary", *MODEL, *SUBGROUPS},
    "clusters": {"summary", "model_card", *SUBGROUPS},
    "groups": {"summary", "model_card", *SUBGROUPS},
    "subgroups": {"figure_subgroups", "summary", "model_card"},
    "clean": LABELLED,
    "class_balance": {"figure_class_balance"},
    "rgb_histograms": {"figure_rgb_histograms"},
    "augmentation": {"figure_augmentation"},
    "giveaways": {"summary", "checklists", "model_card"},
    "test_ids": {"submission", "summary"},
    "split": AGGREGATION | AUDIT | FLOW | {"train"},
    "flow": {"figure_flow", "checklists", "model_card"},
    "audit": AGGREGATION | AUDIT,
    "verdict": AGGREGATION,
    "train": AGGREGATION,
    "compare": AGGREGATION,
    "study": {"figure_study", "best"},
    "seeds": {"summary", "model_card"},
    "choice": {"summary"},
    "effects": {"figure_effects", "summary"},
    "predict_test": {"submission"},
    "predict_held_out": PERFORMANCE
    | EXPLANATION
    | LABEL_ERRORS
    | MODEL
    | {"final_metrics", "errors", "explain", "summary", "checklists"},
    "explain": EXPLANATION | {"summary", "checklists"},
    "final_metrics": PERFORMANCE | MODEL | {"errors", "summary", "checklists"},
    "label_errors": {"figure_suspect_labels", "summary", "checklists"},
    "export": {"model_card"},
}


# Between them, the edits make every rule stale while nothing above it is.
@pytest.mark.parametrize(
    ("module", "importing"),
    [
        ("histopatch/config.py", set()),
        ("histopatch/experiment.py", set()),
        ("histopatch/settings.py", set()),
        ("histopatch/figures/catalogue.py", {"report"}),
        ("histopatch/data/synthetic.py", set()),
        ("histopatch/data/pack.py", {"pack", "test_ids"}),
        ("histopatch/data/clean.py", {"clean", "giveaways", "summary", "flow"}),
        ("histopatch/data/giveaways.py", {"giveaways", "summary"}),
        ("histopatch/data/explore.py", {"check_images", "class_balance", "rgb_histograms"}),
        ("histopatch/augmentation/gallery.py", {"augmentation"}),
        ("histopatch/data/splits.py", {"split"}),
        ("histopatch/data/appearance.py", {"appearance"}),
        ("histopatch/evaluation/subgroups.py", {"subgroups"}),
        ("histopatch/evaluation/group_words.py", {"summary", "model_card"}),
        ("histopatch/statistics/heterogeneity.py", {"subgroups"}),
        ("histopatch/figures/subgroups.py", {"figure_subgroups"}),
        ("histopatch/leakage/overlaps.py", {"duplicates"}),
        ("histopatch/leakage/audit.py", {"audit", "verdict"}),
        ("histopatch/engine/loop.py", {"train"}),
        ("histopatch/engine/network.py", {"train", "predict_test", "predict_held_out"}),
        ("histopatch/engine/predict.py", {"predict_test", "predict_held_out", "explain"}),
        ("histopatch/interpretability/grad_cam.py", {"explain"}),
        (
            "histopatch/statistics/metrics.py",
            {"compare", "best", "final_metrics", "errors", "summary", "export"},
        ),
        ("histopatch/evaluation/effects.py", {"effects"}),
        ("histopatch/evaluation/seed_variance.py", {"effects"}),
        ("histopatch/evaluation/flow.py", {"flow"}),
        ("histopatch/evaluation/label_errors.py", {"label_errors"}),
        ("histopatch/evaluation/checklist_items.py", {"checklists"}),
        ("histopatch/evaluation/caveats.py", {"summary"}),
        ("histopatch/evaluation/clinical_use.py", {"summary", "model_card", "figure_decision_curve"}),
        ("histopatch/statistics/net_benefit.py", {"final_metrics"}),
        ("histopatch/evaluation/seeds.py", {"seeds"}),
        ("histopatch/evaluation/choice.py", {"choice"}),
        ("histopatch/evaluation/summary.py", {"summary"}),
        ("histopatch/evaluation/best.py", {"best"}),
        ("histopatch/evaluation/final.py", {"final_metrics"}),
        (
            "histopatch/evaluation/ensemble.py",
            {"final_metrics", "label_errors", "errors", "subgroups", "export", "explain"},
        ),
        (
            "histopatch/statistics/ensembles.py",
            {
                "predict_test",
                "predict_held_out",
                "final_metrics",
                "explain",
                "label_errors",
                "errors",
                "subgroups",
                "export",
            },
        ),
        ("histopatch/evaluation/submission.py", {"submission"}),
        ("histopatch/data/test_ids.py", {"test_ids"}),
        ("histopatch/evaluation/errors.py", {"errors"}),
        ("histopatch/evaluation/answer.py", {"summary"}),
        ("histopatch/evaluation/limits.py", {"summary", "model_card", "checklists"}),
        ("histopatch/export/model.py", {"export"}),
        ("histopatch/export/card.py", {"model_card"}),
        ("histopatch/inference/model.py", {"export"}),
        ("histopatch/evaluation/cost.py", {"summary"}),
        ("histopatch/report/page.py", {"report"}),
        ("histopatch/report/chapters.py", {"report"}),
        ("histopatch/figures/style.py", FIGURES),
        ("histopatch/figures/audit.py", {"figure_audit"}),
        ("histopatch/figures/training.py", {"figure_learning_curves"}),
        ("histopatch/figures/curves.py", {"figure_roc", "figure_precision_recall"}),
        ("histopatch/figures/groups.py", {"figure_auc_by_group"}),
        ("histopatch/console.py", EVERY_RULE),
        ("scripts/study.py", {"study"}),
        ("scripts/groups.py", {"groups"}),
        ("scripts/clusters.py", {"clusters"}),
        ("scripts/final_metrics.py", {"final_metrics"}),
    ],
)
def test_a_statement_reruns_the_rules_that_import_it(project, module, importing):
    append(project / "workflow" / module, "\n_ANOTHER_STATEMENT = True\n")
    jobs = plan(project)
    assert jobs.edited <= importing
    stale = importing.union(*(BELOW.get(rule, set()) for rule in importing))
    assert jobs.known == stale - (FINAL if "best" in stale else set())


def test_a_statement_in_the_drawing_of_the_data_makes_them_anew(project):
    append(project / "workflow/histopatch/data/synthetic.py", "\n_ANOTHER_STATEMENT = True\n")
    assert plan(project, *OTHER).rules == {"synthetic", "pack"}


# --- growth: what is added or edited beside a run leaves it alone ------------------------------------


SETTINGS = "histopatch/settings.py"
SETTING = "      batch_size: {"  # an entry of the schema's settings, before which another one is added


def declare(project: Path, neutral: str) -> None:
    """Add a setting `momentum` to the schema and to the dataclass, off by default."""
    schema, settings = (project / "workflow" / name for name in ("schemas/config.schema.yaml", SETTINGS))
    entry = f"      momentum: {{description: Momentum., type: number, default: 0, neutral: {neutral}}}\n"
    replace(schema, (SETTING, entry + SETTING))
    replace(
        settings,
        ("    dropout: float = 0.0\n", f"    dropout: float = 0.0\n    momentum: float = {neutral}\n"),
    )


def test_a_setting_added_at_its_neutral_value_reruns_nothing(project):
    declare(project, neutral="0")
    assert plan(project).rules == set()


def test_a_setting_added_at_another_value_trains_every_run(project):
    declare(project, neutral="0.5")
    jobs = plan(project)
    assert len(jobs.trainings) == len(all_runs(project))
    assert not jobs.trainings & folders_of_results(project)


ENUM = "enum: [resnet18,"
CATALOGUE = "workflow/histopatch/backbones/catalogue.py"


def test_a_backbone_of_a_new_module_reruns_nothing(project):
    (project / "workflow/histopatch/backbones/mine.py").write_text("def create():\n    return None\n")
    row = '    "mine": Backbone("mine", "mine", "fc", "layer4"),\n    "resnet18":'
    replace(project / CATALOGUE, ('    "resnet18":', row))
    replace(project / "workflow/schemas/config.schema.yaml", (ENUM, ENUM.replace("[", "[mine, ")))
    assert plan(project).rules == set()


def test_what_a_backbone_expects_is_part_of_its_trainings(project):
    replace(project / CATALOGUE, ('"resnet18", "fc", "layer4")', '"resnet18", "fc", "layer4", min_size=16)'))
    assert plan(project).trainings == all_runs(project)


@pytest.mark.parametrize(
    ("module", "users"),
    [
        ("augmentation/operations/brightness.py", ["named/bright"]),
        ("engine/schedules/cosine.py", ["named/bright"]),
        ("engine/losses/weighted_cross_entropy.py", ["named/slow"]),
        ("backbones/lite.py", []),
    ],
)
def test_an_edit_of_a_component_trains_the_runs_that_use_it(project, module, users):
    append(project / "workflow/histopatch" / module, "\n_ANOTHER_STATEMENT = True\n")
    jobs = plan(project)
    assert jobs.trainings == folders(project, *users)
    shown = AUGMENTATION if module.startswith("augmentation/") else set()  # in the figure, whoever uses it
    assert jobs.known == shown | (AGGREGATION | {"train"} if users else set())


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("backbones/torchvision.py", []),
        ("augmentation/geometry.py", []),  # of every run: it resizes, too
        ("engine/schedules/constant.py", ["named/bright"]),
        ("engine/losses/cross_entropy.py", ["named/slow"]),
    ],
)
def test_an_edit_of_a_common_component_spares_the_runs_that_use_another(project, module, without):
    append(project / "workflow/histopatch" / module, "\n_ANOTHER_STATEMENT = True\n")
    assert plan(project).trainings == all_runs(project) - folders(project, *without)


LOG_LINES = {f"logging.{level}" for level in ("debug", "info", "warning", "error", "exception")}


def test_reworded_log_lines_rerun_nothing(project):
    reworded = 0
    for module in modules(project):
        tree = ast.parse(module.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in LOG_LINES:
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        argument.value, reworded = f"In other words: {argument.value}", reworded + 1
        module.write_text(ast.unparse(tree) + "\n")
    assert reworded > 10
    assert plan(project).rules == set()


def test_a_line_that_logs_more_reruns_nothing(project):
    module = project / "workflow/histopatch/files.py"
    replace(
        module, ("    path = Path(path)\n", '    path = Path(path)\n    logging.debug("writing %s", path)\n')
    )
    replace(module, ("import json\n", "import json\nimport logging\n"))
    assert plan(project).rules == set()


# --- an experiment beside the shipped ones ----------------------------------------------------------


def test_an_experiment_in_a_second_file_is_added_to_the_shipped_ones(project):
    experiment = {
        "dataset": {"format": "kaggle", "root": "data/small"},
        "defaults": {"backbone": "resnet18", "weights": "none", "image_size": 32},
        "studies": {"rate": {"grid": {"lr": ["1e-3", 0.01], "dropout": [0.2, 0.3]}}},
        "final": {"study": "rate"},
    }
    (project / "mine.yaml").write_text(yaml.safe_dump({"experiments": {"mine": experiment}}))
    jobs = plan(project, "--configfile", "config.yaml", "mine.yaml", "--config", "experiment=mine")
    assert jobs.known == EVERY_RULE - FINAL - {"groups"}  # it has no table of them
    assert len(jobs.trainings) == 4
    assert plan(project).rules == set()
