"""A synthetic data set in the folder layout of Kaggle's Histopathologic Cancer Detection."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from histopatch.data.pool import worker_pool
from histopatch.data.tissue import SIZE, Slide, draw_patch, draw_slide, render

# One extra training image for each; `write_dataset` says what is wrong with it.
FLAWS = ("truncated", "small", "blank_label", "conflicting", "absent", "unlabelled")

# Keys that keep the random streams of slides, labels and patches apart.
PART_KEYS = {"train": 0, "test": 1}
SLIDE_KEY, LABEL_KEY, PATCH_KEY = range(3)


def patch_id(seed: int, part: str, index: int) -> str:
    """Id of a patch, 40 hex digits as in Kaggle's set; `part` is "train" or "test"."""
    return hashlib.sha1(f"{seed}/{part}/{index}".encode()).hexdigest()


class Patch(NamedTuple):
    """What a worker needs to know to synthesise one patch and write it to `path`."""

    path: Path
    slide_name: str
    slide: Slide
    label: int
    key: tuple[int, ...]  # seed of the patch's own random stream


def plan_patches(folder: Path, part: str, count: int, slides: int, seed: int) -> list[Patch]:
    """Distribute `count` patches over `slides` slides and sample their labels."""
    part_key = seed, PART_KEYS[part]
    all_slides = [draw_slide(np.random.default_rng([*part_key, SLIDE_KEY, k])) for k in range(slides)]
    patches = []
    for index in range(count):
        slide = all_slides[index % slides]
        chance = np.random.default_rng([*part_key, LABEL_KEY, index]).random()
        patches.append(
            Patch(
                path=folder / part / f"{patch_id(seed, part, index)}.tif",
                slide_name=f"{part}-{index % slides:03d}",
                slide=slide,
                label=int(chance < slide.prevalence),
                key=(*part_key, PATCH_KEY, index),
            )
        )
    return patches


def write_patch(patch: Patch) -> None:
    """Synthesise one patch and write it as an uncompressed TIFF."""
    pixels = draw_patch(np.random.default_rng(patch.key), patch.slide, patch.label)
    Image.fromarray(pixels).save(patch.path)


def blank_out(patch: Patch) -> None:
    """Replace the image of `patch` with empty glass."""
    no_stain = np.zeros((SIZE, SIZE, 2), np.float32)
    glass = render(np.random.default_rng(patch.key), patch.slide, no_stain)
    Image.fromarray(glass).save(patch.path)


def damage_images(flawed: dict[str, Patch]) -> None:
    """Damage the images of those FLAWS that concern the image."""
    truncated, small = flawed["truncated"].path, flawed["small"].path
    truncated.write_bytes(truncated.read_bytes()[: SIZE * SIZE])
    with Image.open(small) as image:
        corner = image.crop((0, 0, 64, 64))
    corner.save(small)
    flawed["absent"].path.unlink()


def label_rows(usable: list[Patch], flawed: dict[str, Patch]) -> list[tuple[str, str]]:
    """The rows (id, label) of train_labels.csv, flawed ones included, sorted by id."""
    whole = [*usable, flawed["truncated"], flawed["small"], flawed["absent"]]
    rows = [(patch.path.stem, str(patch.label)) for patch in whole]
    rows += [(usable[-1].path.stem, str(usable[-1].label))]  # an exact duplicate
    rows += [(flawed["conflicting"].path.stem, label) for label in "01"]
    rows += [(flawed["blank_label"].path.stem, "")]
    return sorted(rows)


def write_dataset(
    folder: Path, *, train_patches: int, test_patches: int, slides: int, seed: int, workers: int = 1
) -> None:
    """Write a synthetic data set in Kaggle's layout, the same bytes for the same `seed`.

    `folder` gets train/<id>.tif and test/<id>.tif (96x96 RGB uint8), train_labels.csv (id, label),
    sample_submission.csv (id, label 0) and slides.csv (id, slide). The training patches come from
    `slides` slides, the test patches from a quarter as many others (at least 2). `workers` is the
    number of processes.

    One of the `train_patches` usable patches is near-blank: empty glass with label 0, which is no flaw.
    A set of any size has in addition one duplicate row and six flawed ids: a truncated TIFF, a 64x64
    image, a row with a blank label, an id listed with both labels, a row whose image is absent, and an
    image without a row.

    Raises ValueError if a count is below 1, and FileExistsError if train/ or test/ exists, because old
    images in them would mix with the new ones.
    """
    if min(train_patches, test_patches, slides, workers) < 1:
        raise ValueError("train_patches, test_patches, slides and workers must be at least 1")
    for part in PART_KEYS:
        (folder / part).mkdir(parents=True)
    train = plan_patches(folder, "train", train_patches + len(FLAWS), slides, seed)
    train[0] = train[0]._replace(label=0)
    test = plan_patches(folder, "test", test_patches, max(2, round(slides / 4)), seed)
    usable, flawed = train[:train_patches], dict(zip(FLAWS, train[train_patches:], strict=True))

    with worker_pool(workers) as pool:
        list(pool.map(write_patch, train + test, chunksize=32))  # iterating raises errors of the workers
    blank_out(train[0])
    damage_images(flawed)

    tables = {
        "train_labels": label_rows(usable, flawed),
        "sample_submission": sorted((patch.path.stem, "0") for patch in test),
        "slides": sorted((patch.path.stem, patch.slide_name) for patch in train + test),
    }
    for name, rows in tables.items():
        columns = ["id", "slide" if name == "slides" else "label"]
        pd.DataFrame(rows, columns=columns).to_csv(folder / f"{name}.csv", index=False)
