"""The final model on each group of patches."""

import numpy as np
import pandas as pd
import pytest

from histopatch.evaluation.group_words import describe_subgroups
from histopatch.evaluation.subgroups import subgroup_tables
from histopatch.files import read_table
from histopatch.statistics.auroc import delong, jackknife_by_slide
from histopatch.statistics.ensembles import Ensemble
from histopatch.statistics.proportions import korn_graubard, wilson

THRESHOLD = 0.4
SITES = {"s0": "A", "s1": "A", "s2": "A", "s3": "B", "s4": "B", "s5": "C", "s6": "", "s7": "D"}


@pytest.fixture
def patches() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    count = 320
    table = pd.DataFrame({"id": [f"{n:03d}" for n in range(count)], "label": np.arange(count) // 8 % 2})
    table["slide"] = [f"s{n % 8}" for n in range(count)]
    table.loc[table.slide == "s7", "label"] = 0
    table["probability"] = 1 / (1 + np.exp(-1.5 * generator.normal(2 * table.label - 1)))
    table["site"] = table.slide.map(SITES)
    return table


@pytest.fixture
def tables(tmp_path):
    def run(patches: pd.DataFrame, held_out=True, slides=True, named=True):
        paths = {
            name: str(tmp_path / f"{name}.csv")
            for name in ("predictions", "split", "points", "clusters", "named", "subgroups", "tests")
        }
        patches[["id", "label", "probability"]].to_csv(paths["predictions"], index=False)
        patches.assign(fold=0, slide=patches.slide if slides else "")[
            ["id", "label", "slide", "fold"]
        ].to_csv(paths["split"], index=False)
        pd.DataFrame({"point": ["youden"], "threshold": [THRESHOLD]}).to_csv(paths["points"], index=False)
        patches.assign(value=1 + np.arange(len(patches)) % 2)[["id", "value"]].to_csv(
            paths["clusters"], index=False
        )
        patches.assign(group="site", value=patches.site)[["id", "group", "value"]].to_csv(
            paths["named"], index=False
        )
        subgroup_tables(
            [paths["predictions"]],
            paths["predictions"] if held_out else None,
            Ensemble(members=1),
            paths["split"],
            paths["points"],
            paths["clusters"],
            paths["named"] if named else None,
            paths["subgroups"],
            paths["tests"],
        )
        return read_table(paths["subgroups"]), read_table(paths["tests"])

    return run


def row_of(groups: pd.DataFrame, group: str, value: str) -> pd.Series:
    (row,) = [row for _, row in groups[(groups.group == group) & (groups.value == value)].iterrows()]
    return row


def test_each_site_has_its_auroc_and_rates_by_slide(tables, patches):
    groups, _ = tables(patches)
    row, site = row_of(groups, "site", "A"), patches[patches.site == "A"]
    assert (row.patches, row.positive, row.units) == (120, site.label.sum(), 3)
    area = jackknife_by_slide(site.label, site.probability, site.slide)
    assert (row.auc, row.auc_low, row.auc_high) == pytest.approx(area)
    called = site.probability >= THRESHOLD
    sensitivity = korn_graubard(called & (site.label == 1), site.label == 1, site.slide)
    assert (row.sensitivity, row.sensitivity_low, row.sensitivity_high) == pytest.approx(sensitivity)
    assert set(groups.value[groups.group == "site"]) == {*"ABCD"}  # whose site is unknown is in none


def test_slides_and_appearance_are_groups_without_being_asked(tables, patches):
    groups, tests = tables(patches, named=False)
    assert tests.group.tolist() == ["appearance", "slide"]
    assert groups.value[groups.group == "appearance"].tolist() == ["1", "2"]
    row, slide = row_of(groups, "slide", "s1"), patches[patches.slide == "s1"]
    assert (row.auc, row.auc_low, row.auc_high) == pytest.approx(delong(slide.label, slide.probability))
    called = slide.probability < THRESHOLD
    specificity = wilson(int(sum(called & (slide.label == 0))), int(sum(slide.label == 0)))
    assert (row.specificity, row.specificity_low, row.specificity_high) == pytest.approx(specificity)


def test_without_slides_there_is_appearance_by_patch(tables, patches):
    groups, tests = tables(patches, slides=False, named=False)
    assert tests.group.tolist() == ["appearance"]
    assert groups.units.isna().all()
    assert np.isfinite(tests.p_value).all()


def test_a_group_with_one_class_or_too_few_slides_says_so(tables, patches):
    groups, tests = tables(patches)
    one_class = row_of(groups, "site", "D")
    assert one_class.note == "negative patches only"
    assert pd.isna(one_class.auc)
    assert pd.isna(one_class.sensitivity)
    assert 0 < one_class.specificity < 1
    one_slide = row_of(groups, "site", "C")
    assert one_slide.note == "fewer than two slides with positives or with negatives"
    assert (one_slide.auc_low, one_slide.auc_high) == (0, 1)
    assert tests.set_index("group").groups["site"] == 2  # A and B can be compared


def test_where_nothing_is_held_out_rates_are_of_the_half_that_did_not_choose(tables, patches):
    groups, _ = tables(patches, held_out=False)
    row = row_of(groups, "appearance", "1")
    whole, _ = tables(patches)
    assert row.auc == row_of(whole, "appearance", "1").auc
    assert row.sensitivity != row_of(whole, "appearance", "1").sensitivity
    slides = groups[groups.group == "slide"].set_index("value")
    known = slides[slides.index != "s7"][["sensitivity", "specificity"]].notna()
    assert known.all(axis=1).any()
    assert (~known).all(axis=1).any()  # nothing is said of slides in the other half
    assert known.sensitivity.equals(known.specificity)
    assert slides.patches.eq(40).all()


def test_the_summary_names_the_extremes_and_the_test(tables, patches):
    spoiled = patches.copy()
    bad = spoiled.site == "B"
    spoiled.loc[bad, "probability"] = np.random.default_rng(1).random(bad.sum())
    groups, tests = tables(spoiled)
    text = "\n".join(describe_subgroups(groups, tests))
    b = row_of(groups, "site", "B")
    assert f"{b.auc:.4f} (B)" in text
    assert text.startswith("Sensitivity and specificity are at Youden's threshold, 0.4000; no test compares")
    assert "| D | 40 | 0 | – (negative patches only) | – |" in text
    assert " (fewer than two slides with positives or with negatives) |" in text
    assert "interval): fewer" not in text
    assert "(0.000–1.000)" not in text
    assert "(intervals of a slide are over its patches)" in text
    assert "may be chance (F = " in text
    assert "not adjusted for each other" in text
    clear = tests.assign(p_value=0.001)
    assert "groups that can be compared differ (F = " in "\n".join(describe_subgroups(groups, clear))
    alike = "\n".join(describe_subgroups(groups.assign(auc=1.0), tests))
    assert "By site (4), the AUROC is 1.0000 wherever there is one" in alike
    nothing = tests.assign(p_value=np.nan)
    assert "The groups share slides or patients, too few of them to test" in "\n".join(
        describe_subgroups(groups, nothing)
    )
    lone = "\n".join(describe_subgroups(groups, nothing.assign(groups=1)))
    assert "Too few groups have both classes on enough slides or patients to test" in lone
    unknown = groups.assign(units=pd.NA)
    assert "have both classes to test" in "\n".join(describe_subgroups(unknown, nothing.assign(groups=0)))
