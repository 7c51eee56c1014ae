import dataclasses
import json

import pandas as pd
import pytest

from histopatch.data import giveaways
from histopatch.evaluation.choice import COLUMNS as CHOICE_COLUMNS
from histopatch.evaluation.effects import COLUMNS as EFFECT_COLUMNS
from histopatch.evaluation.label_errors import COLUMNS as SUSPECT_COLUMNS
from histopatch.evaluation.seeds import COLUMNS
from histopatch.evaluation.summary import write_summary
from histopatch.settings import Split

CLEANING = {
    "synthetic": False,
    "before": {"label_rows": 220025, "images": 220031},
    "after": {"patches": 220000, "negative": 130900, "positive": 89100},
    "images_set_aside": 3,
    "near_blank": {"used": 0, "examples": []},
    "rejected": {"duplicate row": 20, "no image": 5},
}


MEMBER = {"run": "better", "folder": "b0-224px-aaa", "final_folder": "b0-224px-abc"}
BEST = {
    "run": "better",
    "value": 0.95,
    "metric": "val_auc",
    "select": "best",
    "seeds": 1,
    "chosen_from": 4,
    "members": [MEMBER],
}
METRICS = {
    "final_folder": "b0-224px-abc",
    "validated_on": "unseen slides",
    "val_patches": 3000,
    "folds": 1,
    "measured": {
        "on": "held-out patches", "held_out": True, "kind": "unseen slides", "patches": 12345,
        "auc": 0.9712, "auc_low": 0.961, "auc_high": 0.9801,
        "auc_interval": "slide jackknife", "units": None, "average_precision": 0.955,
        "log_loss": 0.21, "brier": 0.0612,
        "ece": 0.0213,
        "calibration": {
            "intercept": -0.2, "intercept_low": -0.5, "intercept_high": 0.1,
            "slope": 0.82, "slope_low": 0.6, "slope_high": 1.05,
            "ece_by_chance": 0.0102, "ece_by_chance_high": 0.0204,
        },
    },
    "note": "The run was chosen among 4.",
}  # fmt: skip
SHARE = {"mean": 0.4, "sd": 0.2, "low": 0.37, "high": 0.43, "patches": 200}
ATTRIBUTION = {
    "measured_on": "held-out patches", "patches": 200, "positive": 100, "centre_size": 32,
    "area_share": 1 / 9, "interval": "by slide",
    "grad_cam": {"all": SHARE, "negative": SHARE, "positive": SHARE},
    "occlusion": {"all": SHARE, "negative": SHARE, "positive": SHARE},
    "change_without_centre": SHARE, "change_without_border": SHARE,
}  # fmt: skip
ABSTAINING = {
    "share": "0.1", "chosen_on": "validation patches", "reported_on": "held-out patches",
    "abstained_share": "0.12", "error": "0.03", "error_low": "0.01", "error_high": "0.06",
    "error_abstained": "0.33", "error_all": "0.07",
}  # fmt: skip
SUBGROUP = {
    "group": "site", "value": "North", "patches": "1234", "positive": "400", "note": "",
    "threshold": "0.3",
    "auc": "0.91", "auc_low": "0.85", "auc_high": "0.95",
    "sensitivity": "0.8", "sensitivity_low": "0.7", "sensitivity_high": "0.9",
    "specificity": "0.85", "specificity_low": "0.75", "specificity_high": "0.95",
}  # fmt: skip
TESTED = {
    "group": "site", "groups": "2", "statistic": "5.1", "numerator": "1", "denominator": "9",
    "p_value": "0.02",
}  # fmt: skip
SPLIT = Split(validation_fraction=0.15, seed=42)
SHARES = {"sensitivity": 0.951, "specificity": 0.9, "ppv": 0.8, "npv": 0.99}
EFFECT = ",".join(EFFECT_COLUMNS)


def point(**changes) -> dict:
    row = {"point": "youden", "threshold": 0.31, "chosen_on": "validation patches"}
    row |= {"reported_on": "held-out patches"}
    for name, value in SHARES.items():
        row |= {name: value, f"{name}_low": value - 0.01, f"{name}_high": value + 0.005}
    return (
        row
        | {"ppv_at_0.01": 0.0876, "ppv_at_0.01_low": 0.041, "ppv_at_0.01_high": 0.172, "npv_at_0.01": 0.999}
        | changes
    )


FACTS = ",".join(giveaways.COLUMNS)


@pytest.fixture
def summary(table_of_runs, csv, tmp_path):
    def write(
        runs: list[dict],
        effects=(),
        seeds=(),
        split=SPLIT,
        best=BEST,
        metrics=METRICS,
        points=None,
        facts=(),
        test_ids=None,
        suspects=(),
        splits=None,
        retrained_with=None,
        choice=None,
        curve=("0.1,1,2,1",),
        **cleaning,
    ) -> str:
        studies = [run.get("study", "one") for run in runs if run.get("run") == best["run"]]
        if not studies:
            runs = [*runs, runs[0] | {"study": "chosen", "run": best["run"]}]
        pd.DataFrame(points or [point()]).to_csv(tmp_path / "points.csv", index=False)
        compared = [{"study": study} | (choice or {}) for study in {run.get("study", "one") for run in runs}]
        pd.DataFrame(compared, columns=CHOICE_COLUMNS).to_csv(tmp_path / "choice.csv", index=False)
        tables = {
            "giveaways": str(csv("giveaways.csv", FACTS, *facts)),
            "runs": table_of_runs(*({"feature_head": "none"} | run for run in runs)),
            "effects": str(csv("effects.csv", EFFECT, *effects)),
            "seeds": str(csv("seeds.csv", ",".join(COLUMNS), *seeds)),
            "choice": str(tmp_path / "choice.csv"),
        }
        final = {
            "best": str(csv("best.json", json.dumps(best))),
            "metrics": str(csv("metrics.json", json.dumps(metrics))),
            "attribution": str(csv("attribution.json", json.dumps(ATTRIBUTION))),
            "operating_points": str(tmp_path / "points.csv"),
            "decision_curve": str(
                csv("curve.csv", "threshold,net_benefit_low,net_benefit_high,over_treat_all_low", *curve)
            ),
            "subgroups": str(csv("subgroups.csv", ",".join(SUBGROUP), ",".join(SUBGROUP.values()))),
            "heterogeneity": str(csv("tests.csv", ",".join(TESTED), ",".join(TESTED.values()))),
            "abstaining": str(csv("abstaining.csv", ",".join(ABSTAINING), ",".join(ABSTAINING.values()))),
            "suspect_labels": str(csv("suspects.csv", ",".join(SUSPECT_COLUMNS), *suspects)),
        }
        split_tables = {
            name: str(csv(f"{name}.csv", "id,fold", *rows)) for name, rows in (splits or {"main": []}).items()
        }
        cleaned = str(csv("summary.json", json.dumps(CLEANING | cleaning)))
        verdicts = [str(csv("main.audit.txt", "split main: 3 slides on more than one side"))]
        predicted = test_ids and str(csv("test_ids.csv", "id,image", *test_ids))
        written = str(tmp_path / "summary.md")
        write_summary(
            "mine",
            {"main": split},
            cleaned,
            verdicts,
            predicted,
            tables,
            split_tables,
            final,
            [*studies, "chosen"][0],
            retrained_with or {},
            written,
        )
        return (tmp_path / "summary.md").read_text()

    return write


def test_it_begins_with_the_experiment_and_its_data(summary):
    lines = summary([{}]).splitlines()
    assert lines[0] == "# mine"
    text = "\n".join(lines)
    assert "220,000 labelled patches, 40.5 % positive, from 220,025 label rows and 220,031 images." in text
    assert "Rejected rows and images: duplicate row (20), no image (5)." in text


def test_nothing_rejected_is_said(summary):
    assert "Nothing was rejected." in summary([{}], rejected={})


def test_what_gives_a_class_away_is_said(summary):
    rows = [
        "suffix,2,1.0,0.98,1.0,1.0,True,.jpg (60),.png (60)",
        "red,9,0.7,0.6,0.8,0.7,False,a median of 3,a median of 4",
    ]
    text = summary([{}], facts=rows)
    assert "The suffix of the file alone tells the classes apart (AUROC 1.00)" in text
    assert "negatives have .jpg (60), positives .png (60)" in text
    assert "red" not in text.split("## Data")[1].split("## Splits")[0]


def test_what_is_measured_on_synthetic_patches_is_said_to_be_so_before_all_else(summary):
    said = "**The patches are synthetic, drawn by the workflow to try it out: no number here says anything"
    assert summary([{}], synthetic=True).splitlines()[2].startswith(said)
    assert "synthetic" not in summary([{}])


def test_test_ids_without_an_image_are_counted(summary):
    text = summary([{}], test_ids=["a,a", "<b>,", "c,"])
    assert "2 of 3 test ids have no usable image, such as &lt;b&gt;; the submission has" in text
    assert "test ids" not in summary([{}], test_ids=["a,a"])
    assert "test ids" not in summary([{}])


def test_near_blank_patches_are_named_where_they_are_used(summary):
    text = summary([{}], near_blank={"used": 2, "examples": ["a", "b"]})
    assert "2 of the patches used are near blank: a, b." in text
    one = summary([{}], near_blank={"used": 1, "examples": ["a"]})
    assert "1 of the patches used is near blank: a." in one
    assert "near blank" not in summary([{}])


def test_the_kind_of_a_split_and_what_leaks_is_said(summary):
    text = summary([{}], split=dataclasses.replace(SPLIT, group_by="slide"))
    assert "- Split `main` keeps each slide on one side" in text
    assert "Leakage audit:\n\n- split main: 3 slides on more than one side\n" in text


def test_every_study_has_its_best_run_with_its_interval(summary):
    text = summary(
        [
            {"study": "one", "run": "worse", "final_val_auc": 0.91},
            {"study": "one", "run": "better", "final_val_auc": 0.95, "epochs": 1},
            {"study": "two", "run": "only", "final_val_auc": 0.8},
        ]
    )
    one, two = text.split("## Study `one`")[1].split("## Study `two`")
    assert "Highest of 2: `better` after 1 epoch." in one
    assert "| `better` | 0.9500 | 0.9400–0.9600 (DeLong) | – | – | unseen slides |" in one
    assert one.index("`better` | 0.95") < one.index("`worse` | 0.91")
    assert "Highest of 1: `only` after 2 epochs." in two


def test_slides_behind_an_interval_are_counted(summary):
    text = summary([{"val_auc_interval": "slide jackknife", "val_slides": 7, "val_unmapped": 0}])
    assert "0.8900–0.9100 (slide jackknife, 7 slides) |" in text
    assert "No slides are known" not in text
    assert "marked DeLong" not in text


@pytest.mark.input(
    "Slide map", "12 slides and 3 patches without one", "12 slides are counted, and 3 patches without one"
)
def test_patches_without_a_slide_are_counted_apart(summary):
    text = summary([{"val_auc_interval": "slide jackknife", "val_slides": 12, "val_unmapped": 3}])
    assert "(slide jackknife, 12 slides and 3 patches without one) |" in text
    by_patient = {"val_slides": 12, "val_patients": 5, "val_unmapped": 1}
    text = summary([by_patient | {"val_auc_interval": "patient jackknife"}])
    assert "(patient jackknife, 5 patients and 1 patch without one) |" in text


def test_where_no_slides_are_known_the_summary_says_how_validation_would_be_honest(summary):
    assert "With a slide map validation would be honest: name it in `dataset.slides`" in summary([{}])


def test_an_interval_by_patch_comes_with_a_warning(summary):
    assert "Intervals and tests marked DeLong assume independent patches" in summary([{}])


def test_an_auroc_on_easier_patches_is_not_called_better(summary):
    words = "The runs are validated in different ways"
    assert words not in summary([{}, {}])
    assert words in summary([{}, {"validated_on": "random patches: expect less on new slides"}])


def test_folds_are_given_as_mean_and_spread(summary):
    text = summary([{"folds": 5, "fold_auc_sd": 0.0123, "pooled_val_auc": 0.88}])
    assert "| run | AUROC | 95 % interval | folds | pooled AUROC | validated on |" in text
    assert "| `run0` | 0.9000 | 0.8900–0.9100 (DeLong) | mean of 5, SD 0.0123 | 0.8800 |" in text


CHOICE = {
    "chosen_from": 12, "val_auc": 0.932, "corrected_val_auc": 0.9051, "unit": "slide", "units": 24,
    "rarer_units": 11, "units_for_0.01": 836, "detectable_difference": 0.0214,
}  # fmt: skip


def test_the_highest_of_several_is_corrected_for_the_choice(summary):
    text = summary([{}], choice=CHOICE)
    assert (
        "The highest of 12 AUROCs on the same patches tends to be too high: corrected for that, by a "
        "bootstrap over slides, 0.9320 becomes 0.9051." in text
    )
    assert "0.9320 stays 0.9320." in summary([{}], choice=CHOICE | {"corrected_val_auc": 0.93199})
    assert "About 840 slides like these would give the AUROC an interval of ±0.01." in text
    assert (
        "A true difference of 0.021 between two runs would have been found with a probability of 80 %" in text
    )


def test_with_few_slides_the_optimism_of_the_choice_is_not_guessed(summary):
    few = {"corrected_val_auc": None, "units": 4, "rarer_units": 3}
    text = summary([{}], choice=CHOICE | few)
    assert "with 4 slides, 3 of them with patches of the rarer class, by how much cannot be said" in text
    assert "becomes" not in text


def test_of_a_single_run_or_without_slides_no_choice_is_described(summary):
    alone = {"chosen_from": 1, "corrected_val_auc": None, "detectable_difference": None}
    text = summary([{}], choice=CHOICE | alone)
    assert "tends to be too high" not in text
    assert "About 840 slides" in text
    assert "difference of" not in text
    assert "like these" not in summary([{}], choice={"chosen_from": 12, "val_auc": 0.932})


def test_ties_with_the_best_are_named(summary):
    text = summary(
        [
            {"run": "first", "final_val_auc": 0.95},
            {"run": "near", "final_val_auc": 0.94, "tied_with_best": True},
            {"run": "far", "final_val_auc": 0.92, "tied_with_best": False},
            {"run": "elsewhere", "final_val_auc": 0.9, "tied_with_best": None, "validated_on": "others"},
            # Slides that it has not seen either, but others.
            {"run": "drawn", "final_val_auc": 0.89, "tied_with_best": None, "split": "another"},
            {"run": "too_few", "final_val_auc": 0.88, "tied_with_best": None},
            {"run": "same", "final_val_auc": 0.95, "tied_with_best": None},
        ]
    )
    assert "Lower, perhaps by chance (paired tests, adjusted for all pairs): `near`." in text
    assert "Not tested against it, as they were validated on other patches: `elsewhere`, `drawn`." in text
    assert (
        "Not tested against it, as too few slides or patches are of one class, or there is no spread: "
        "`too_few`."
    ) in text
    assert "With the same AUROC: `same`." in text
    assert "Lower (paired tests, adjusted for all pairs): `far`." in text


def test_a_run_of_two_studies_is_said_to_be_one(summary):
    text = summary(
        [{"study": "one", "run": "plain"}, {"study": "two", "run": "lr=0.1"}, {"study": "two", "run": "b"}]
    )
    one, two = text.split("## Study `two`")
    assert "`plain` is the same run as" not in text
    folder = {"folder": "resnet18-32px-0123456789"}
    text = summary([{"study": "one", "run": "plain", **folder}, {"study": "two", "run": "lr=0.1", **folder}])
    one, two = text.split("## Study `two`")
    assert "`plain` is the same run as `lr=0.1` of `two`, `better` of `chosen`: it was trained once." in one
    assert "`lr=0.1` is the same run as `plain` of `one`, `better` of `chosen`: it was trained once." in two


def test_a_clear_winner_has_no_ties(summary):
    text = summary([{"final_val_auc": 0.95}, {"final_val_auc": 0.92, "tied_with_best": False}])
    assert "perhaps by chance" not in text


def test_what_each_setting_changed_is_said_under_its_study(summary):
    effects = [
        "one,lr,0.0001,2,0.94,-0.0123,-0.02,-0.004,,,0.01,lower",
        "one,lr,0.0003,2,0.95,0.0123,0.004,0.02,,,0.01,higher",
        "two,dropout,0.2,1,0.8,0.001,-0.003,0.005,,,0.6,no evidence of a difference",
        "two,dropout,0.3,1,0.8,-0.001,-0.005,0.003,,,0.6,no evidence of a difference",
        "two,split,a,1,0.8,0.1,,,,,,not tested: validated on different patches",
        "two,split,b,1,0.8,-0.1,,,,,,not tested: validated on different patches",
    ]
    text = summary([{"study": "one"}, {"study": "two"}], effects)
    one, two = text.split("## Study `two`")
    assert (
        "- `lr`: 0.0003 changed the AUROC by +0.0123 (95 % interval +0.0040 to +0.0200) compared with "
        "0.0001, all else equal (mean over 2 runs).\n" in one
    )
    assert "all else equal. No evidence of a difference.\n" in two
    assert "- `split`: a changed the AUROC by +0.1000 compared with b" in two
    assert "Not tested: validated on different patches." in two
    assert "dropout" not in one.split("## Study `one`")[1]


def test_an_effect_whose_interval_knows_no_seeds_says_so(summary):
    effect = "one,lr,0.0003,2,0.95,0.0123,0.004,0.02,,,0.01,higher"
    text = summary([{"study": "one"}], [effect])
    assert "its seed alone changes each of them, by how much is not known here. `repeats: 3`" in text
    assert "Another seed" not in summary([{"study": "one"}])


def test_an_effect_has_the_interval_with_other_seeds_beside_its_own(summary):
    effect = "one,lr,0.0003,2,0.95,0.0123,0.004,0.02,-0.001,0.025,0.01,higher"
    text = summary([{"study": "one"}], [effect], seeds=["one,plain,3,0.91,0.0042,0.9,0.92"])
    assert "(95 % interval +0.0040 to +0.0200; with other seeds -0.0010 to +0.0250) compared" in text
    assert "It may be due to the seed." in text
    assert "Another seed" not in text


def test_seed_noise_is_said(summary):
    text = summary([{"study": "one"}], seeds=["one,plain,3,0.91,0.0042,0.9,0.92"])
    assert "- `plain` with 3 seeds: AUROC 0.9100 ± 0.0042" in text
    assert "from 0.9000 to 0.9200" in text


def test_a_final_model_that_needed_no_other_training_is_not_called_trained_again(summary):
    member = MEMBER | {"folder": MEMBER["final_folder"]}
    text = summary([{}], best=BEST | {"members": [member]})
    assert "the final model is what was trained there, `b0-224px-abc`." in text
    assert "trained again" not in text


def test_each_group_has_its_rates_and_each_kind_its_test(summary):
    text = summary([{}])
    row = "| North | 1,234 | 400 | 0.910 (0.850–0.950) | 0.800 (0.700–0.900) | 0.850 (0.750–0.950) |"
    assert row in text
    assert "the AUROCs of the 2 groups that can be compared differ (F = 5.10 on 1 and 9.0 degrees" in text


def test_calibration_net_benefit_and_abstaining_are_said(summary):
    text = summary([{}])
    for words in ("Calibration: intercept -0.20", "Net benefit: at 1 of 1 thresholds", "| 10 % | 12.0 % |"):
        assert words in text


def test_mean_ranks_have_no_calibration(summary):
    text = summary([{}], curve=())  # however many runs they are of
    assert "Calibration:" not in text
    assert "Net benefit:" not in text


def test_the_final_model_has_every_metric(summary):
    text = summary([{}]).split("## Final model")[1]
    assert "`better`, chosen among 4 by `val_auc`; trained again as `b0-224px-abc`." in text
    assert (
        "On the 12,345 held-out patches (unseen slides): AUROC 0.9712 (95 % interval 0.9610–0.9801, "
        "slide jackknife), average precision 0.9550, log loss 0.2100, Brier score 0.0612, "
        "calibration error 0.0213.\n" in text
    )
    assert "The run was chosen among 4." in text
    assert "It was chosen for a `val_auc` of 0.9500, after 2 epochs." in text
    assert "hardly tell" not in text


def test_a_final_model_that_is_trained_otherwise_does_not_borrow_the_score_of_its_choice(summary):
    text = summary([{"epochs": 1}], retrained_with={"epochs": 3})
    assert (
        "It was chosen for a `val_auc` of 0.9500, after 1 epoch; the final model is trained otherwise "
        "(`epochs: 3`), so this is not its score.\n" in text
    )


def test_a_choice_at_chance_and_a_better_run_of_another_study_are_both_said(summary):
    chosen = {"study": "one", "run": "better", "final_val_auc": 0.4957}
    text = summary([chosen, {"study": "two", "run": "good", "final_val_auc": 0.7672}]).split("## Final")[1]
    assert "is not shown to be better than chance**: AUROC 0.4957, and its interval, 0.4857–0.5057" in text
    assert "`good` of `two` has an AUROC of 0.7672 on its validation patches, the chosen run 0.4957" in text
    assert "comes from `one` because `final.study` names it" in text


@pytest.mark.parametrize(
    "other",
    [
        {"study": "two", "final_val_auc": 0.905},
        {"study": "one", "final_val_auc": 0.99},
        {"study": "two", "final_val_auc": 0.99, "validated_on": "random patches: expect less on new slides"},
    ],
    ids=["within the interval", "of the same study", "on easier patches"],
)
def test_a_run_that_was_not_passed_over_by_the_config_is_not_held_against_it(summary, other):
    text = summary([{"study": "one", "run": "better"}, other]).split("## Final")[1]
    assert "another study" not in text
    assert "better than chance" not in text


@pytest.mark.parametrize(
    ("slides", "positive", "said", "words"),
    [(19, 19, True, "all with"), (40, 9, True, "9 of them with"), (20, 10, False, "10 of them with")],
)
def test_few_slides_are_said_in_words(summary, slides, positive, said, words):
    units = {"kind": "slide", "count": slides, "with_positives": positive, "with_negatives": slides}
    units |= {"for_0.01": 1234}
    text = summary([{}], metrics=METRICS | {"measured": METRICS["measured"] | {"units": units}})
    assert ("can hardly tell models apart" in text) == said
    assert (f"are of {slides} slides, {words} positives" in text) == said
    assert ("About 1,200 slides like these would give the AUROC an interval of ±0.01" in text) == said
    assert ("±0.01, a rough guess from only 19 slides." in text) == (slides == 19)
    assert f"0.9610–0.9801, slide jackknife over {slides} slides)" in text


def test_how_many_slides_would_do_is_not_guessed(summary):
    units = {"kind": "slide", "count": 3, "with_positives": 1, "with_negatives": 3, "for_0.01": None}
    text = summary([{}], metrics=METRICS | {"measured": METRICS["measured"] | {"units": units}})
    assert "hardly tell models apart" in text
    assert "would give" not in text


def test_few_slides_with_negatives_and_a_single_slide_are_said_in_words(summary):
    units = {"kind": "slide", "count": 40, "with_positives": 40, "with_negatives": 2, "for_0.01": 1234}
    text = summary([{}], metrics=METRICS | {"measured": METRICS["measured"] | {"units": units}})
    assert "are of 40 slides, 2 of them with negatives, and patches of one slide resemble" in text
    units |= {"count": 1, "with_positives": 1, "with_negatives": 1, "for_0.01": None}
    text = summary([{}], metrics=METRICS | {"measured": METRICS["measured"] | {"units": units}})
    assert "are of 1 slide, and patches of one slide resemble" in text


@pytest.mark.parametrize(
    ("low", "high", "method", "said"),
    [
        (0.1, 0.35, "DeLong", "worse than chance**: AUROC 0.2000 (0.1000–0.3500). Are the labels the wrong"),
        (0, 1, "nothing can be said", "said**: AUROC 0.2000, and its interval is 0.0000–1.0000 (nothing can"),
    ],
    ids=["backwards", "unknown"],
)  # fmt: skip
def test_a_choice_below_chance_or_without_an_interval_is_not_called_chance(summary, low, high, method, said):
    chosen = {"study": "one", "run": "better", "final_val_auc": 0.2, "val_auc_interval": method}
    text = summary([chosen | {"val_auc_low": low, "val_auc_high": high}]).split("## Final")[1]
    assert said in text
    assert "better than chance" not in text


def test_patches_that_another_split_uses_are_not_called_unseen(summary):
    splits = {"main": ["a,-2", "b,-2", "c,0"], "other": ["a,0", "b,-2", "c,-1"]}
    text = summary([{}, {"split": "other"}], splits=splits)
    assert "holds out" not in summary([{}], splits=splits)
    assert "1 of the 2 patches that `main` holds out train or validate runs on `other`" in text
    assert "`other` holds out" not in text
    backwards = {"other": splits["main"], "main": splits["other"], "third": ["a,-2", "b,0", "c,0"]}
    text = summary([{}, {"split": "other"}, {"split": "third"}], splits=backwards)
    assert "1 of the 2 patches that `other` holds out train or validate runs on `main`" in text
    assert "1 of the 2 patches that `other` holds out train or validate runs on `third`" in text
    assert "1 of the 1 patches that `third` holds out train or validate runs on `main`" in text
    same = {"main": ["a,-2", "b,0"], "other": ["a,-2", "b,0"]}
    assert "holds out" not in summary([{}, {"split": "other"}], splits=same)


def test_suspect_labels_are_counted_and_the_first_is_named(summary):
    text = summary([{}], suspects=["1,<a>,0,0.99,,validation", "2,b,1,0.02,,held out"])
    assert "Labels: 2 of 15,345 are contradicted with confidence" in text
    assert "above all that of `<a>`" in text
    assert "Labels: of the 15,345 patches that validate or are held out, none" in summary([{}])


def test_operating_points_that_the_choice_has_seen_are_called_optimistic(summary):
    halves = point(chosen_on="one half of the validation patches")
    halves["reported_on"] = "the other half of the validation patches"
    metrics = METRICS | {"measured": METRICS["measured"] | {"held_out": False}}
    assert "The choice of the model has seen both halves" in summary([{}], points=[halves], metrics=metrics)
    only = BEST | {"chosen_from": 1}
    assert "has seen both halves" not in summary([{}], points=[halves], metrics=metrics, best=only)
    assert "has seen both halves" not in summary([{}])


def test_with_folds_and_nothing_held_out_the_auroc_within_folds_comes_first(summary):
    folds = METRICS | {"folds": 3}
    assert "AUROC 0.9712 (95 % interval" in summary([{}], metrics=folds)
    validation = METRICS["measured"] | {"on": "validation patches", "held_out": False, "pooled_auc": 0.9688}
    text = summary([{}], metrics=folds | {"measured": validation})
    assert (
        "AUROC 0.9712 within folds (95 % interval 0.9610–0.9801, slide jackknife), 0.9688 pooled, average"
    ) in text


def test_how_the_final_model_was_chosen_is_said(summary):
    text = summary([{}], best=BEST | {"seeds": 3, "select": "cheapest_tied"})
    assert "by `val_auc` (mean over 3 seeds), the fastest to train of those tied with the best;" in text


def test_where_the_final_model_looks_is_said(summary):
    text = summary([{}]).split("### Where it looks\n\n")[1]
    assert text.startswith("How much the central 32×32 pixels decide, 11.1 % of the area, on 200 held-out")
    assert "\n\n- Grad-CAM: 40.0 % (37.0–43.0;" in text


def test_what_an_ensemble_gains_over_its_best_member_is_said(summary):
    members = [
        MEMBER | {"auc": 0.97},
        {"run": "second", "folder": "b0-224px-ddd", "final_folder": "b0-224px-def", "auc": 0.96},
    ]
    gain = {
        "over": "better", "auc_difference": 0.00123, "auc_difference_low": -0.0004,
        "auc_difference_high": 0.00286, "p_value": 0.14, "test": "slide jackknife",
    }  # fmt: skip
    ensemble = {"average": "logit", "on": "held-out patches", "members": members, "gain": gain}
    assert "ensemble" not in summary([{}])
    text = summary([{}], best=BEST | {"members": members}, metrics=METRICS | {"ensemble": ensemble})
    assert (
        "`better`, `second`, chosen among 4 by `val_auc`; trained again as `b0-224px-abc`, `b0-224px-def`."
        in text
    )
    assert (
        "The final model is an ensemble of 2 runs, the mean of their logits: AUROC +0.0012 (95 % interval "
        "-0.0004 to +0.0029, paired slide jackknife) on the held-out patches compared with its best member "
        "`better` alone (0.9700).\n" in text
    )


def test_operating_points_are_a_table(summary):
    text = summary([{}], points=[point(), point(point="specificity_95", ppv=None, ppv_low=0, ppv_high=1)])
    assert "chosen on validation patches and reported on held-out patches" in text
    assert (
        "| Youden's J | 0.3100 | 0.951 (0.941–0.956) | 0.900 (0.890–0.905) | 0.800 (0.790–0.805) "
        "| 0.990 (0.980–0.995) | 0.088 (0.041–0.172) |" in text
    )
    assert "| PPV at 1 % |" in text
    assert "| – |" in text


def test_runs_that_halving_stopped_are_told_with_the_epochs(summary):
    text = summary(
        [{"run": "good"}, {"run": "slow", "epochs": 8, "stopped_after": 1.0, "final_val_auc": float("nan")}]
    )
    assert "Highest of 1: `good`" in text
    assert (
        "Stopped by halving after 1 epoch of 8, and compared with the runs of that rung only: `slow`." in text
    )


def test_runs_that_failed_are_told_with_their_reason(summary):
    text = summary([{"run": "good"}, {"run": "bad", "failed": "training diverged (lr 1, fp32); lower lr"}])
    assert "Highest of 1: `good`" in text
    assert "Failed, and not compared: `bad` (training diverged (lr 1, fp32); lower lr)." in text
    assert "nan" not in text


def test_of_a_large_study_the_best_runs_are_named_and_the_others_counted(summary):
    runs = [
        {"run": f"r{i}", "folder": f"f{i}", "final_val_auc": 0.95 - i / 1000, "tied_with_best": i == 0}
        for i in range(120)
    ]
    failed = [{"run": f"x{i}", "folder": f"g{i}", "failed": "no memory"} for i in range(60)]
    text = summary(runs + failed)
    assert "| `r49` |" in text
    assert "| `r50` |" not in text
    assert "Highest of 120: `r0`" in text
    assert "Above are the 50 best; `tables/one.csv` has all." in text
    assert "Lower (paired tests, adjusted for all pairs): `r1`, `r2`, " in text
    assert "`r50` and 69 more." in text
    assert "`x49` and 10 more (no memory)." in text
