import numpy as np
import pytest

from histopatch.evaluation.by_group import auc_by_group
from histopatch.statistics.auroc import delong


def test_each_slide_has_its_auroc(predictions):
    validation = predictions(80, slides=4)
    table = auc_by_group(validation, None).set_index("group")
    assert set(table.part) == {"validation"}
    assert set(table.kind) == {"slide"}
    mine = validation.subset(validation.slides == "slide 2")
    row = table.loc["slide 2"]
    assert (row.patches, row.positive) == (20, mine.labels.sum())
    assert (row.auc, row.auc_low, row.auc_high) == pytest.approx(delong(mine.labels, mine.probabilities))


def test_names_of_one_slide_are_one_row(predictions):
    validation = predictions(80, slides=4)
    names = np.where(np.arange(80) % 3 == 0, np.char.upper(validation.slides.astype(str)), validation.slides)
    table = auc_by_group(validation._replace(slides=names), None)
    assert table.patches.tolist() == [20] * 4


def test_without_slides_each_fold_has_its_auroc_and_what_is_held_out_is_one(predictions):
    table = auc_by_group(predictions(80, slides=None, folds=4), predictions(30, slides=None, seed=1))
    assert table.kind.tolist() == ["part"] + ["fold"] * 4
    assert table.group.tolist() == ["all patches", 0, 1, 2, 3]
    assert table.patches.tolist() == [30] + [20] * 4
    assert table.auc.between(0.3, 1).all()


def test_a_slide_with_one_class_has_no_auroc_and_a_lone_patch_no_row(predictions):
    validation = predictions(6)._replace(labels=np.array([0, 0, 1, 1, 0, 1]), slides=np.array([*"xxyyab"]))
    table = auc_by_group(validation, None)
    assert table.group.tolist() == ["x", "y"]
    assert table[["auc", "auc_low", "auc_high"]].isna().all(axis=None)


def test_where_every_patch_is_a_slide_of_its_own_the_table_has_its_columns(predictions):
    table = auc_by_group(predictions(20, slides=20), None)
    assert table.empty
    assert {"part", "kind", "group", "patches", "auc", "auc_low", "auc_high"} <= {*table.columns}


@pytest.mark.input("Slide map", "patches without a slide", "counted as no slide in tables and figures")
def test_patches_without_a_slide_are_no_slide(predictions):
    validation = predictions(6)._replace(
        labels=np.array([0, 1, 0, 1, 0, 1]), slides=np.array([*"xxx", *[""] * 3])
    )
    assert auc_by_group(validation, None).group.tolist() == ["x"]


def test_where_only_patients_are_known_each_has_its_auroc(predictions):
    whole = predictions(80, slides=4)
    table = auc_by_group(whole._replace(slides=None, patients=whole.slides), None)
    assert set(table.kind) == {"patient"}
    assert len(table) == 4
