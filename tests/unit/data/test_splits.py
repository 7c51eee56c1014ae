import dataclasses
import logging
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedKFold, train_test_split

from histopatch.data.formats.format import Format
from histopatch.data.formats.kaggle import Kaggle
from histopatch.data.formats.table import Table
from histopatch.data.splits import assign_folds, split_files
from histopatch.errors import InputError
from histopatch.settings import Split

SPLIT = Split(validation_fraction=0.15, seed=42)


@pytest.fixture
def split(tmp_path):
    """Split a table of labels, with slides if they are given."""

    def run(
        labels: pd.DataFrame, slides=None, duplicates=None, dataset: Format | None = None, **changes
    ) -> pd.DataFrame:
        labels.to_csv(tmp_path / "clean.csv", index=False)
        out = tmp_path / "main.csv"
        dataset = dataset or Kaggle(str(tmp_path), slide_map=slides and str(slides))
        given = [dataset, None, duplicates and str(duplicates)]
        split_files(str(tmp_path / "clean.csv"), *given, dataclasses.replace(SPLIT, **changes), str(out))
        return pd.read_csv(out, dtype={"id": str, "slide": str, "patient": str}, keep_default_na=False)

    return run


@pytest.mark.parametrize("count", [100, 997, 20_000])
def test_the_draw_is_scikit_learns(split, kaggle_labels, count):
    labels = kaggle_labels(count)
    train, validation = train_test_split(labels, test_size=0.15, random_state=42, stratify=labels.label)
    table = split(labels)
    assert set(table.id[table.fold == 0]) == set(validation.id)
    assert set(table.id[table.fold == -1]) == set(train.id)


def test_the_draw_on_real_labels_is_scikit_learns(split, sample):
    labels = pd.read_csv(sample / "train_labels.csv")
    _, validation = train_test_split(labels, test_size=0.15, random_state=42, stratify=labels.label)
    table = split(labels)
    assert set(table.id[table.fold == 0]) == set(validation.id)


def test_every_patch_keeps_its_place_and_its_label(split, kaggle_labels):
    labels = kaggle_labels(100)
    table = split(labels)
    assert list(table) == ["id", "label", "slide", "fold"]
    pd.testing.assert_frame_equal(table[["id", "label"]], labels)
    assert (table.slide == "").all()


@pytest.mark.parametrize("fraction", [0.15, 0.5])
def test_the_classes_are_in_proportion(split, kaggle_labels, fraction):
    table = split(kaggle_labels(1000), validation_fraction=fraction)
    shares = table.groupby("fold").label.mean()
    assert (table.fold == 0).mean() == pytest.approx(fraction)
    assert shares[0] == pytest.approx(shares[-1], abs=0.005)


def test_a_seed_is_a_draw(split, kaggle_labels):
    labels = kaggle_labels(200)
    assert split(labels).equals(split(labels))
    assert not split(labels).equals(split(labels, seed=43))


def test_ids_that_look_like_numbers_stay_texts(split):
    ids = [f"{i:03d}" for i in range(40)]
    assert split(pd.DataFrame({"id": ids, "label": [0, 1] * 20})).id.tolist() == ids


@pytest.mark.parametrize("labels", [[0, 1] * 2, [0] * 50 + [1]])
def test_too_few_patches_for_the_fraction_are_refused(split, labels):
    table = pd.DataFrame({"id": [f"p{i}" for i in range(len(labels))], "label": labels})
    with pytest.raises(InputError, match=r"^splits\.main\.validation_fraction: 0\.15 is impossible"):
        split(table)


@pytest.fixture
def labels() -> pd.DataFrame:
    return pd.DataFrame({"id": [f"{i:03d}" for i in range(20)], "label": [0, 1] * 10})


def slide_rows(labels: pd.DataFrame) -> list[str]:
    """One row per patch, from slides 07 and 08, in another order than the labels, and one more patch."""
    return ["999,07", *(f"{name},0{7 + int(name) % 2}" for name in reversed(labels.id.tolist()))]


def test_the_table_has_the_slide_of_each_patch(split, csv, labels):
    table = split(labels, csv("slides.csv", "id,slide", *slide_rows(labels)), validation_fraction=0.25)
    assert table.slide.tolist() == ["07", "08"] * 10
    without = split(labels, validation_fraction=0.25)
    assert table.drop(columns="slide").equals(without.drop(columns="slide"))


def test_a_patch_without_a_slide_is_named(split, csv, labels):
    slides = csv(
        "slides.csv", "id,slide", *(row for row in slide_rows(labels) if row[:3] not in ("004", "006"))
    )
    message = r"^splits\.main\.unmapped: 2 of 20 patches have no slide in .*slides\.csv, the first is '004'"
    with pytest.raises(InputError, match=message):
        split(labels, slides, group_by="slide")


def test_a_patch_with_two_rows_of_slides_is_named(split, csv, labels):
    slides = csv("slides.csv", "id,slide", *slide_rows(labels), "004,09")
    with pytest.raises(InputError, match="the id '004' appears twice"):
        split(labels, slides)


@pytest.mark.parametrize("header", ["id,patient", "patch,slide"])
def test_a_missing_column_of_slides_is_named(split, csv, labels, header):
    missing = "slide" if header.startswith("id") else "id"
    with pytest.raises(InputError, match=f"there is no column '{missing}'"):
        split(labels, csv("slides.csv", header, *slide_rows(labels)))


def test_a_partial_slide_map_may_be_allowed(split, csv, labels):
    rows = [row for row in slide_rows(labels) if row[:3] not in ("004", "006")]
    table = split(
        labels, csv("slides.csv", "id,slide", *rows), unmapped="own_group", validation_fraction=0.25
    )
    assert table.id[table.slide == ""].tolist() == ["004", "006"]


@pytest.mark.input(
    "Slide map",
    "some patches have no slide",
    "refused for splits that keep slides whole, unless `unmapped: own_group`; a warning for others",
)
def test_a_split_that_needs_no_slides_goes_on_with_a_warning(split, csv, labels, caplog):
    rows = [row for row in slide_rows(labels) if row[:3] not in ("004", "006")]
    path = csv("slides.csv", "id,slide", *rows)
    table = split(labels, path, validation_fraction=0.25)
    assert table.id[table.slide == ""].tolist() == ["004", "006"]
    without = split(labels, validation_fraction=0.25)
    assert table.drop(columns="slide").equals(without.drop(columns="slide"))
    assert f"2 of 20 patches have no slide in {path}, the first is '004'" in caplog.text


@pytest.mark.input(
    "Slide map",
    "None",
    "splits at random are marked: expect less on new slides; the log says how to be honest",
)
def test_without_slides_a_random_split_says_how_it_would_be_honest(split, csv, labels, caplog):
    split(labels, validation_fraction=0.25)
    assert "With a slide map validation would be honest: name it in dataset.slides" in caplog.text
    assert "`patch_id_wsi_full.csv` (`id,wsi`) beside the labels" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.INFO):
        path = csv("slides.csv", "id,slide", *slide_rows(labels))
        split(labels, path, validation_fraction=0.25)
    assert "honest" not in caplog.text
    assert f"{path}: 2 slides of 20 patches" in caplog.text


@pytest.mark.parametrize("change", [str.lower, lambda name: f"{name}.0", lambda name: f" {name} "])
def test_slides_whose_names_programs_change_stay_on_one_side(split, csv, kaggle_labels, caplog, change):
    labels = kaggle_labels(400)
    slides = [f"S{i % 20}" if i % 3 else change(f"S{i % 20}") for i in range(400)]
    path = csv("slides.csv", "id,slide", *map(",".join, zip(labels.id, slides, strict=True)))
    table = split(labels, path, group_by="slide")
    whole = split(labels, csv("slides.csv", "id,slide", *(f"{n},S{i % 20}" for i, n in enumerate(labels.id))))
    assert (table.fold.groupby(whole.slide).nunique() == 1).all()
    similar = "40 slide names differ only by case or `.0`: 'S0', '" in caplog.text
    assert similar == (change("S") != " S ")


@pytest.mark.input(
    "Slide map", "a column `patient`", "all slides of a patient stay on one side, as far as asked for"
)
@pytest.mark.parametrize("group_by", ["none", "slide", "patient"])
def test_patients_stay_on_one_side(split, csv, kaggle_labels, group_by):
    labels = kaggle_labels(400)
    rows = [f"{name},s{i % 40},p{i % 40 % 20}" for i, name in enumerate(labels.id)]
    path = csv("slides.csv", "id,slide,patient", *rows)
    table = split(labels, path, group_by=group_by, held_out_fraction=0.2)
    assert list(table) == ["id", "label", "slide", "fold", "patient"]
    assert table.patient.nunique() == 20
    held_out = table.fold == -2
    assert not {*table.patient[held_out]} & {*table.patient[~held_out]}
    trained, validated = ({*table.patient[table.fold == fold]} for fold in (-1, 0))
    assert bool(trained & validated) == (group_by != "patient")


def test_too_few_positives_are_counted(split, kaggle_labels):
    labels = kaggle_labels(2000).assign(label=[1] * 4 + [0] * 1996)
    message = r"^splits\.main\.validation_fraction: 0\.15 is impossible: of the 300 .* 1 is positive"
    with pytest.raises(InputError, match=message):
        split(labels)
    with pytest.raises(
        InputError, match=r"there are only 2 patches of a class \(positive\), and at least 3 are"
    ):
        split(labels.assign(label=[1] * 2 + [0] * 1998))
    # However slides are drawn, one of three positives validates.
    with pytest.raises(InputError, match="1 is positive, and at least 2 are needed"):
        split(labels.assign(label=[1, 0, 1, 0, 1] + [0] * 1995), group_by="slide", dataset=_slides(labels, 3))


# --- given parts --------------------------------------------------------------------------------------


def _slides(labels: pd.DataFrame, count: int):
    """A data set with this many slides."""
    slides = [f"s{i % count}" for i in range(len(labels))]
    known = pd.DataFrame({"id": labels.id, "slide": slides})
    return SimpleNamespace(name="made up", where="labels", files=lambda purpose: [], slides=lambda: [known])


@pytest.fixture
def official(split, csv, tmp_path):
    """The split that a table gives: 300 patches of 30 slides, a part of each."""

    def run(part_of_slide: list[str], **changes) -> pd.DataFrame:
        labels = pd.DataFrame({"id": [f"{i:03d}.png" for i in range(300)], "label": [0, 1] * 150})
        slides = [i // 10 for i in range(300)]
        rows = [
            f"{name},{slide},{part_of_slide[slide]}" for name, slide in zip(labels.id, slides, strict=True)
        ]
        dataset = Table(
            str(csv("t.csv", "path,slide,part", *rows)), str(tmp_path), "path", part_column="part"
        )
        return split(labels, dataset=dataset, parts="given", **changes)

    return run


@pytest.mark.input("Table", "a part `train`, `validation` or `held out` for each patch", "taken as they are")
def test_given_parts_are_taken(official):
    table = official(["train"] * 20 + ["val"] * 4 + ["held_out"] * 6)
    assert table.fold.tolist() == [-1] * 200 + [0] * 40 + [-2] * 60


@pytest.mark.input("Table", "no part validates or is held out", "drawn from the training patches")
@pytest.mark.parametrize(
    "changes", [{}, {"group_by": "slide"}, {"folds": 4}, {"group_by": "slide", "folds": 4}]
)
def test_a_validation_part_that_is_not_given_is_drawn_from_the_training_patches(official, changes):
    table = official(["train"] * 20 + ["held out"] * 10, **changes)
    assert (table.fold == -2).tolist() == [False] * 200 + [True] * 100
    validates = (table.fold >= 0).mean() * 300
    assert validates == 200 if "folds" in changes else validates == pytest.approx(30, abs=10)
    assert table.fold.max() == changes.get("folds", 1) - 1
    whole = table[:200].groupby("slide").fold.nunique().eq(1).all()
    assert whole == ("group_by" in changes)


def test_a_held_out_part_that_is_not_given_is_drawn_from_the_training_patches(official):
    table = official(["train"] * 20 + ["valid"] * 10, held_out_fraction=0.2)
    assert (table.fold == 0).tolist() == [False] * 200 + [True] * 100
    held_out = table[table.fold == -2]
    assert len(held_out) == 40
    assert not {*held_out.slide} & {*table.slide[table.fold == -1]}


def test_parts_that_contradict_the_split_are_refused(official):
    with pytest.raises(InputError, match=r"^splits\.main\.folds: 5 contradicts `parts: given`"):
        official(["train"] * 20 + ["val"] * 10, folds=5)


# --- cross-validation and what is held out ----------------------------------------------------------


def folds_of(labels: pd.DataFrame, groups=None, **changes) -> np.ndarray:
    return assign_folds(labels.label.to_numpy(), groups, groups, dataclasses.replace(SPLIT, **changes))


def test_folds_are_scikit_learns(split, kaggle_labels):
    labels = kaggle_labels(500)
    table = split(labels, folds=4)
    splitter = StratifiedKFold(4, shuffle=True, random_state=42)
    for fold, (_, validation) in enumerate(splitter.split(labels, labels.label)):
        assert set(np.flatnonzero(table.fold == fold)) == set(validation)


def test_cross_validation_does_not_look_at_the_fraction(kaggle_labels):
    labels = kaggle_labels(300)
    first, second = (folds_of(labels, folds=3, validation_fraction=f) for f in (0.1, 0.9))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("changes", [{}, {"folds": 4}])
@pytest.mark.parametrize("grouped", [False, True])
def test_what_is_held_out_is_drawn_first(kaggle_labels, changes, grouped):
    labels = kaggle_labels(1000)
    groups = np.arange(1000) % 100 if grouped else None
    folds = folds_of(labels, groups, held_out_fraction=0.2, **changes)
    held_out, rest = folds == -2, folds >= 0
    assert held_out.mean() == pytest.approx(0.2, abs=0.01)
    assert labels.label[held_out].mean() == pytest.approx(labels.label.mean(), abs=0.02)
    assert rest.mean() == pytest.approx(0.8 if changes else 0.8 * 0.15, abs=0.01)
    # The same patches are held out however the others are split.
    assert np.array_equal(held_out, folds_of(labels, groups, held_out_fraction=0.2, folds=7) == -2)


@pytest.mark.parametrize("key", ["validation_fraction", "held_out_fraction"])
def test_a_draw_without_a_class_is_refused(key):
    """scikit-learn accepts it."""
    labels = pd.DataFrame({"label": [1] * 3 + [0] * 97})
    with pytest.raises(InputError, match=f"^{key}: 0.1 is impossible: there are too few patches of a class"):
        folds_of(labels, **{key: 0.1})


@pytest.mark.parametrize("group_by", ["none", "slide"])
def test_what_is_held_out_is_of_whole_slides_where_they_are_known(split, csv, kaggle_labels, group_by):
    labels = kaggle_labels(400)
    rows = [f"{name},{i % 20}" for i, name in enumerate(labels.id)]
    table = split(labels, csv("slides.csv", "id,slide", *rows), group_by=group_by, held_out_fraction=0.2)
    held_out = {*table.slide[table.fold == -2]}
    assert not held_out & {*table.slide[table.fold != -2]}
    assert (table.fold == -2).mean() == pytest.approx(0.2, abs=0.01)
    trained, validated = ({*table.slide[table.fold == fold]} for fold in (-1, 0))
    assert bool(trained & validated) == (group_by == "none")


def test_too_few_patches_for_what_is_held_out_are_refused(labels):
    with pytest.raises(InputError, match=r"^held_out_fraction: 0\.01 is impossible"):
        folds_of(labels, held_out_fraction=0.01)


def test_too_few_patches_for_the_folds_are_refused(labels):
    with pytest.raises(InputError, match=r"^folds: 11 is impossible: there are only 10 patches"):
        folds_of(labels, folds=11)


# --- groups -----------------------------------------------------------------------------------------


@pytest.fixture
def slides() -> tuple[pd.DataFrame, np.ndarray]:
    """Labels of 3,000 patches of 40 slides of very different size and prevalence, and their slides."""
    rng = np.random.default_rng(0)
    slide = rng.choice(40, 3000, p=rng.dirichlet(np.full(40, 1.5)))
    label = (rng.random(3000) < rng.uniform(0, 0.8, 40)[slide]).astype(int)
    return pd.DataFrame({"id": [f"p{i}" for i in range(3000)], "label": label}), slide


@pytest.mark.parametrize(
    "changes", [{}, {"folds": 5}, {"held_out_fraction": 0.1}, {"validation_fraction": 0.3}]
)
def test_no_group_is_on_two_sides(slides, changes):
    labels, groups = slides
    table = pd.DataFrame({"group": groups, "fold": folds_of(labels, groups, **changes)})
    assert (table.groupby("group").fold.nunique() == 1).all()


@pytest.mark.parametrize("fraction", [0.1, 0.15, 0.4])
def test_a_grouped_holdout_has_the_size_and_the_balance_that_is_wanted(slides, fraction):
    labels, groups = slides
    drawn = folds_of(labels, groups, validation_fraction=fraction) == 0
    assert drawn.mean() == pytest.approx(fraction, abs=0.005)
    assert labels.label[drawn].mean() == pytest.approx(labels.label.mean(), abs=0.01)


def test_grouped_folds_are_about_as_large_and_as_positive(slides):
    labels, groups = slides
    parts = labels.groupby(folds_of(labels, groups, folds=5)).label.agg(["size", "mean"])
    assert parts.index.tolist() == [0, 1, 2, 3, 4]
    assert parts["size"].between(570, 630).all()
    assert (parts["mean"] - labels.label.mean()).abs().max() < 0.02


@pytest.mark.parametrize("seed", range(5))
def test_the_class_balance_is_right_even_where_no_size_fits(seed):
    """No choice among ten slides of 100 patches makes 15 %, but the class balance can still be right."""
    positive = np.array([0, 10, 20, 30, 40, 40, 50, 60, 70, 80])
    labels = pd.DataFrame(
        {"label": np.concatenate([np.arange(100) < count for count in positive]).astype(int)}
    )
    folds = folds_of(labels, np.arange(1000) // 100, seed=seed)
    assert labels.label[folds == 0].mean() == pytest.approx(0.4, abs=0.001)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("changes", [{}, {"folds": 2}])
def test_every_part_has_two_slides_with_positives_where_there_are_six(seed, changes):
    """20 slides of unequal size, of which only six have positives."""
    rng = np.random.default_rng(seed)
    slide = np.repeat(np.arange(20), rng.integers(10, 200, 20))
    chance = np.where(np.arange(20) < 6, rng.uniform(0.1, 0.9, 20), 0)
    labels = pd.DataFrame({"label": (rng.random(len(slide)) < chance[slide]).astype(int)})
    folds = folds_of(labels, slide, held_out_fraction=0.2, validation_fraction=0.25, seed=seed, **changes)
    positive = labels.label == 1
    assert pd.Series(slide[positive]).groupby(folds[positive]).nunique().tolist() == [2, 2, 2]


@pytest.mark.parametrize("changes", [{}, {"folds": 5}])
def test_a_grouped_split_is_drawn_by_the_seed(slides, changes):
    labels, groups = slides
    first = folds_of(labels, groups, **changes)
    assert np.array_equal(first, folds_of(labels, groups, **changes))
    assert not np.array_equal(first, folds_of(labels, groups, seed=43, **changes))


def test_slides_stay_on_one_side(split, csv, kaggle_labels, caplog):
    labels = kaggle_labels(400)
    rows = [f"{name},{i % 20}" for i, name in enumerate(labels.id)]
    with caplog.at_level(logging.INFO):
        table = split(labels, csv("slides.csv", "id,slide", *rows), group_by="slide")
    assert (table.groupby("slide").fold.nunique() == 1).all()
    assert (table.fold == 0).mean() == pytest.approx(0.15, abs=0.01)
    assert "fold 0: 60 patches" in caplog.text
    assert "3 slides, 3 with positives" in caplog.text


def test_duplicates_stay_on_one_side(split, csv, kaggle_labels):
    labels = kaggle_labels(100)
    pairs = [f"near,{labels.id[i]},{labels.id[i + 50]},1,1" for i in range(50)]
    duplicates = csv("duplicates.csv", "kind,id_a,id_b,correlation,overlap", *pairs)
    table = split(labels, duplicates=duplicates, keep_duplicates_together=True)
    assert np.array_equal(table.fold[:50], table.fold[50:])
    assert not np.array_equal(split(labels).fold[:50], split(labels).fold[50:])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, r"^validation_fraction: 0\.15 is impossible: there are too few groups of patches \(1\)"),
        ({"folds": 2}, r"^folds: 2 is impossible: there are too few groups of patches \(1\)"),
        ({"held_out_fraction": 0.1}, r"^held_out_fraction: 0\.1 is impossible: there are too few groups"),
    ],
)
def test_too_few_groups_are_refused(labels, changes, message):
    with pytest.raises(InputError, match=message):
        folds_of(labels, np.zeros(20, int), **changes)


def test_groups_that_leave_a_side_without_a_class_are_refused(labels):
    with pytest.raises(InputError, match=r"too few groups of patches \(2\) to have both classes"):
        folds_of(labels, labels.label.to_numpy())


def test_groups_too_large_for_the_fraction_are_logged(labels, caplog):
    with caplog.at_level(logging.WARNING):
        folds_of(labels, np.arange(20) // 10)
    assert ": drew 50.0 % of the patches instead of 15.0 %, as groups stay whole" in caplog.text
