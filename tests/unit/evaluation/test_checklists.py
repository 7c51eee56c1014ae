import json
from collections.abc import Callable

import pandas as pd
import pytest

from histopatch.evaluation.checklist_items import CHECKLISTS, STARD_AI, TRIPOD_AI
from histopatch.evaluation.checklists import CENTRAL, COLUMNS, FILLED, IN_PART, OPEN, fill, write_checklists
from histopatch.evaluation.facts import FACTS, read_facts
from histopatch.files import read_table
from histopatch.leakage.audit import KINDS

SHARE = {"mean": 0.4}
POINT = {
    "point": "youden", "threshold": 0.31,
    "chosen_on": "validation patches", "reported_on": "held-out patches",
    "true_positives": 90, "false_positives": 7, "true_negatives": 93, "false_negatives": 10,
    "sensitivity": 0.9, "sensitivity_low": 0.8, "sensitivity_high": 0.95,
    "specificity": 0.93, "specificity_low": 0.85, "specificity_high": 0.97,
}  # fmt: skip
RELIABILITY = {
    "recalibration_intercept": 0.0,
    "recalibration_slope": 1.0,
    "ece": 0.05,
    "fitted_on": "validation patches",
    "reported_on": "held-out patches",
}
METRICS = {"auc": 0.97, "average_precision": 0.95, "log_loss": 0.2, "brier": 0.06, "ece": 0.02}
ARTEFACTS = {
    "cleaning": {
        "synthetic": False,
        "before": {"label_rows": 1357, "images": 1355}, "images_set_aside": 2,
        "after": {"patches": 1350, "negative": 827, "positive": 523},
        "near_blank": {"used": 1, "examples": []}, "rejected": {"no image": 1},
    },
    "flow": [
        {"step": "image", "reason": None, "count": 1355, "positive": None, "slides": 36},
        {"step": "image excluded", "reason": "near blank", "count": 5, "positive": None, "slides": 3},
        {"step": "patch", "reason": None, "count": 1350, "positive": 523, "slides": 36},
        {"step": "fold 0", "reason": None, "count": 1350, "positive": 523, "slides": 36},
    ],
    "audit": {
        "slides": {"known": 36, "patches_without": 0},
        "pairs": {kind: {"crossing": 0} for kind in KINDS},
    },
    "giveaways": [{"fact": "suffix", "gives_away": False}, {"fact": "bytes", "gives_away": False}],
    "run": {
        "settings": {"backbone": "resnet18", "epochs": 3, "weights": "imagenet"},
        "model": {"architecture": "resnet18", "image_size": 96, "mean": [0.5], "std": [0.5]},
        "epochs": {"trained": 3, "kept": 3}, "libraries": {"torch": "2.9"}, "device": "a CPU",
        "made_from": "0123456789abcdef",
    },
    "best": {
        "metric": "val_auc", "value": 0.95, "chosen_from": 4,
        "members": [{"run": "plain", "final_folder": "resnet18-96px-abc"}],
    },
    "runs": [{"study": "rate", "run": "plain", "folder": "a", "validated_on": "unseen slides"}],
    "metrics": {
        "folds": 2, "note": "Chosen among 4.",
        "measured": {
            "on": "held-out patches", "kind": "unseen slides", "patches": 265,
            "auc_low": 0.95, "auc_high": 0.99, "auc_interval": "slide jackknife", **METRICS,
        },
    },
    "reliability": [
        RELIABILITY | {"calibration": "before"},
        RELIABILITY | {"calibration": "after", "recalibration_intercept": -2.2, "recalibration_slope": 0.7},
    ],
    "operating_points": [POINT],
    "auc_by_group": [{"kind": "slide", "auc": 0.9}, {"kind": "slide", "auc": 0.99}],
    "attribution": {"occlusion": {"all": SHARE}, "centre_size": 32, "patches": 200, "area_share": 0.11},
    "suspect_labels": [{"id": "a"}, {"id": "b"}],
}  # fmt: skip


def at(*keys, value) -> Callable:
    """An edit that sets a value somewhere in an artefact."""

    def edit(artefact):
        for key in keys[:-1]:
            artefact = artefact[key]
        artefact[keys[-1]] = value

    return edit


# For each fact an edit of its artefact that has to change it.
EDITS = {
    "counts": at("after", "positive", value=524),
    "rejected": at("rejected", "no label", value=3),
    "quality": at("images_set_aside", value=9),
    "excluded": at(1, "reason", value="no label"),
    "sides": at(3, "count", value=1349),
    "slides": at("slides", "known", value=0),
    "leakage": at("pairs", "near", "crossing", value=4),
    "giveaways": at(0, "gives_away", value=True),
    "label_errors": lambda table: table.pop(),
    "input": at("model", "image_size", value=224),
    "architecture": at("model", "architecture", value="vit"),
    "training": at("settings", "lr", value=0.1),
    "balance": at("settings", "pos_weight", value=True),
    "software": at("libraries", "torch", value="3.0"),
    "choice": at("chosen_from", value=40),
    "weights": at("members", 0, "final_folder", value="other"),
    "studies": lambda table: table.append(dict(table[0], study="another")),
    "networks": at("folds", value=1),
    "measured": at("measured", "kind", value="random patches"),
    "note": at("note", value=""),
    "performance": at("measured", "auc_low", value=0.5),
    "measures": at("measured", "auc_interval", value="DeLong"),
    "updating": at(1, "ece", value=0.01),
    "thresholds": at(0, "threshold", value=0.9),
    "rates": at(0, "sensitivity_low", value=0.1),
    "crossed": at(0, "false_negatives", value=11),
    "heterogeneity": at(0, "auc", value=0.5),
    "attribution": at("occlusion", "all", value={"mean": 0.9}),
}


@pytest.fixture
def paths(tmp_path):
    """Write the artefacts, one of them edited."""

    def write(edited: str | None = None, edit: Callable | None = None) -> dict[str, str]:
        written = {}
        for name, artefact in json.loads(json.dumps(ARTEFACTS)).items():
            if name == edited:
                edit(artefact)
            table = isinstance(artefact, list)
            path = tmp_path / "results" / name / f"{name}.{'csv' if table else 'json'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            if table:
                pd.DataFrame(artefact).to_csv(path, index=False)
            else:
                path.write_text(json.dumps(artefact))
            written[name] = str(path)
        return written

    return write


def test_numbers_are_those_of_the_published_checklists():
    tripod, stard = ([item.number for item in items] for items in (TRIPOD_AI, STARD_AI))
    assert (len(set(tripod)), len(set(stard))) == (len(tripod), len(stard)) == (52, 48)
    for numbers, last in ((tripod, 27), (stard, 40)):
        assert [*dict.fromkeys(int(number.rstrip("abcdefg")) for number in numbers)] == [*range(1, last + 1)]


def test_every_item_is_answered_by_known_facts_or_left_to_the_authors():
    used = set()
    for _, items in CHECKLISTS.values():
        for item in items:
            assert item.facts or item.authors, item
            assert item.about in (*CENTRAL, "study")
            used |= {*item.facts}
    assert used == {*FACTS}


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_follows_from_its_artefact_and_so_do_the_items_that_it_fills(paths, name, tmp_path):
    """Where the artefact changes, every item changes that the fact fills, and no item of other artefacts."""
    before, after = (read_facts(paths(*edit)) for edit in ((), (FACTS[name][0], EDITS[name])))
    assert before[name].text != after[name].text
    for _, items in CHECKLISTS.values():
        old, new = (fill(items, facts, str(tmp_path)).known for facts in (before, after))
        changed = {item.number for item, a, b in zip(items, old, new, strict=True) if a != b}
        assert {item.number for item in items if name in item.facts} <= changed
        of_artefact = {fact for fact in FACTS if FACTS[fact][0] == FACTS[name][0]}
        assert changed <= {item.number for item in items if of_artefact & {*item.facts}}


ENSEMBLE, UNKNOWN = {"members": [1, 2]}, {"known": 0, "patches_without": 9}


@pytest.mark.parametrize(
    ("fact", "edit", "said"),
    [
        ("networks", {"folds": 1, "ensemble": ENSEMBLE}, "The average of 2 networks predicts new patches"),
        ("networks", {"folds": 5, "ensemble": ENSEMBLE}, "by the average of the 2 networks that did"),
        ("networks", {"folds": 5, "ensemble": ENSEMBLE}, "a new patch by the average of all 10."),
        ("leakage", {"slides": UNKNOWN}, "split: 0 patches, 0 pairs of identical images, 0 pairs of flipped"),
        ("leakage", {"patients": {"known": 3, "patches_without": 0}}, "0 patches, 0 patients, 0 slides, 0"),
        ("slides", {"slides": UNKNOWN, "patients": {"known": 1, "patches_without": 1}}, "1 patient is"),
        ("attribution", {"occlusion": {"all": None}}, "is not known"),
    ],
)  # fmt: skip
def test_facts_hold_in_every_case(paths, fact, edit, said):
    def change(artefact):
        artefact |= edit

    assert said in read_facts(paths(FACTS[fact][0], change))[fact].text


def test_every_kind_of_pair_across_sides_is_counted(paths):
    def change(artefact):
        artefact["pairs"] = {kind: {"crossing": 1} for kind in KINDS}

    text = read_facts(paths("audit", change))["leakage"].text
    assert "1 patch, 1 slide, 1 pair of identical images, 1 pair of flipped or rotated images, 1 pair" in text
    assert "two labels" not in text


def test_a_run_of_two_studies_is_one_run(paths):
    facts = read_facts(paths("runs", EDITS["studies"]))
    assert facts["studies"].text.startswith(
        "Studies: 2. Runs: 1, trained to their end: 1, compared on unseen"
    )


def test_more_than_60_per_cent_of_the_items_on_data_model_evaluation_and_code_are_filled(paths, tmp_path):
    table = fill(TRIPOD_AI, read_facts(paths()), str(tmp_path))
    central = table[table.about.isin(CENTRAL)]
    assert (central.status != OPEN).mean() >= 0.6
    assert {*table.status} == {FILLED, IN_PART, OPEN}


def test_tables_and_text_name_the_file_that_an_item_is_from(paths, tmp_path):
    root = tmp_path / "results"
    tables = {name: str(root / f"tables/{name}.csv") for name in CHECKLISTS}
    text = root / "tables/checklists.md"
    write_checklists(paths(), str(root), tables, str(text))
    table = read_table(tables["tripod_ai"]).set_index("item")
    assert [*table.reset_index().columns] == COLUMNS
    assert table.source["11"] == "cleaning/cleaning.json"
    assert table.status["11"] == FILLED
    assert table.known["11"] == "Left out, never imputed: no image (1)."
    assert table.status["5a"] == IN_PART
    assert table.for_the_authors["5b"] == "first and last date of collection"
    assert pd.isna(table.known["5b"])
    written = text.read_text()
    assert "[cleaning/cleaning.json](../cleaning/cleaning.json)" in written
    assert "## STARD-AI (2025)" in written


def test_where_there_is_nothing_to_tell_that_is_told(paths):
    facts = read_facts(paths("flow", lambda rows: rows.pop(1)))
    assert facts["excluded"].text == "All images were used."
    assert (
        "no AUROC by group"
        in read_facts(paths("auc_by_group", lambda rows: [row.update(auc=None) for row in rows]))[
            "heterogeneity"
        ].text
    )
