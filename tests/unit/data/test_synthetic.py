import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from histopatch.data import synthetic
from histopatch.data.synthetic import write_dataset
from histopatch.data.tissue import SIZE

# With this seed the sampled label of the near-blank patch is 1, so that it has to be overridden.
TRAIN, TEST, SLIDES, SEED = 40, 8, 6, 8
FLAWED = len(synthetic.FLAWS)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic")
    write_dataset(folder, train_patches=TRAIN, test_patches=TEST, slides=SLIDES, seed=SEED)
    return folder


@pytest.fixture(scope="module")
def labels(dataset) -> pd.DataFrame:
    return pd.read_csv(dataset / "train_labels.csv", dtype=str, keep_default_na=False)


def image_ids(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.tif")}


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_layout_is_kaggles(dataset, labels):
    train, test = image_ids(dataset / "train"), image_ids(dataset / "test")
    assert len(train) == TRAIN + FLAWED - 1  # one of the flaws is an absent image
    assert len(test) == TEST
    assert all(len(name) == 40 and int(name, 16) >= 0 for name in train | test)
    assert list(labels.columns) == ["id", "label"]
    submission = pd.read_csv(dataset / "sample_submission.csv")
    assert set(submission["id"]) == test
    assert (submission["label"] == 0).all()


def test_images_are_uncompressed_96_pixel_rgb(dataset):
    for path in (dataset / "test").glob("*.tif"):
        with Image.open(path) as image:
            assert (image.size, image.mode) == ((SIZE, SIZE), "RGB")
            assert image.info["compression"] == "raw"


def test_every_image_has_a_slide_and_test_slides_are_disjoint(dataset, labels):
    slide_of = pd.read_csv(dataset / "slides.csv", index_col="id")["slide"]
    train = image_ids(dataset / "train") | set(labels["id"])
    test = image_ids(dataset / "test")
    assert slide_of.index.is_unique
    assert set(slide_of.index) == train | test
    train_slides, test_slides = set(slide_of[list(train)]), set(slide_of[list(test)])
    assert (len(train_slides), len(test_slides)) == (SLIDES, 2)
    assert not train_slides & test_slides


@pytest.mark.parametrize("workers", [1, 2])
def test_same_seed_same_bytes(dataset, tmp_path, workers):
    write_dataset(tmp_path, train_patches=TRAIN, test_patches=TEST, slides=SLIDES, seed=SEED, workers=workers)
    assert digest(tmp_path) == digest(dataset)


def test_another_seed_differs(dataset, tmp_path):
    write_dataset(tmp_path, train_patches=2, test_patches=2, slides=2, seed=SEED + 1)
    assert not image_ids(tmp_path / "train") & image_ids(dataset / "train")
    images = {read(path).tobytes() for path in (dataset / "test").glob("*.tif")}
    assert all(read(path).tobytes() not in images for path in (tmp_path / "test").glob("*.tif"))


def test_no_two_patches_are_alike(dataset):
    images = [path.read_bytes() for path in (dataset / "test").glob("*.tif")]
    assert len(set(images)) == len(images)


def test_labels_follow_the_prevalence_of_their_slide(tmp_path):
    patches = synthetic.plan_patches(tmp_path, "train", 2000, 4, SEED)
    for k in range(4):
        mine = patches[k::4]
        share = np.mean([patch.label for patch in mine])
        assert share == pytest.approx(mine[0].slide.prevalence, abs=0.08)


def test_labels_and_images_have_the_documented_flaws(dataset, labels):
    paths = {path.stem: path for path in (dataset / "train").glob("*.tif")}
    sizes, truncated = {}, set()
    for name, path in paths.items():
        try:
            sizes[name] = read(path).shape
        except OSError:
            truncated.add(name)
    small = {name for name, shape in sizes.items() if shape == (64, 64, 3)}
    blank = set(labels.loc[labels["label"] == "", "id"])
    variants = labels.groupby("id")["label"].nunique()
    conflicting = set(variants.index[variants > 1])
    absent = set(labels["id"]) - set(paths)
    unlabelled = set(paths) - set(labels["id"])
    flaws = [truncated, small, blank, conflicting, absent, unlabelled]
    assert [len(ids) for ids in flaws] == [1] * 6
    assert len(set.union(*flaws)) == 6

    usable = labels[~labels["id"].isin(set.union(*flaws))]
    assert usable.duplicated().sum() == 1
    usable = usable.drop_duplicates()
    assert len(usable) == TRAIN
    assert set(usable["label"]) == {"0", "1"}
    assert all(sizes[name] == (SIZE, SIZE, 3) for name in usable["id"])


def test_one_usable_negative_is_near_blank(dataset, labels):
    label_of = labels.drop_duplicates("id").set_index("id")["label"]
    blank = []
    for path in (dataset / "train").glob("*.tif"):
        try:
            pixels = read(path)
        except OSError:  # the truncated one
            continue
        if pixels.std() < 10 and pixels.mean() > 215:
            blank.append(path.stem)
    assert len(blank) == 1
    assert label_of[blank[0]] == "0"


def test_counts_below_one_are_refused(tmp_path):
    with pytest.raises(ValueError, match="at least 1"):
        write_dataset(tmp_path, train_patches=0, test_patches=1, slides=1, seed=0)


def test_an_existing_dataset_is_not_written_over(dataset):
    with pytest.raises(FileExistsError):
        write_dataset(dataset, train_patches=1, test_patches=1, slides=1, seed=0)
