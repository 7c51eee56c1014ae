"""Time, memory and recall of the search for duplicates, at the size of Kaggle's set.

    python benchmarks/audit_scale.py

The pack is made of drawn patches: each serves several times, at angles and magnifications that make other
tissue of it. Among them are planted copies of every kind; those that come out as pairs are the recall, and
pairs that nobody planted are false. The pack of 220,025 patches takes 6.1 GB in the temporary folder and
is removed in the end.
"""

import argparse
import functools
import io
import math
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from machine import describe_machine, table

from histopatch.cores import available_cores
from histopatch.data.appearance import measure_pack
from histopatch.data.clusters import cluster
from histopatch.data.tissue import SIZE, draw_patch, draw_slide
from histopatch.leakage.duplicates import find_duplicates
from histopatch.leakage.symmetries import symmetries

VIEWS = 8  # times that a synthetic patch is used
SLIDES = 160


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patches", type=int, default=220_025)
    parser.add_argument("--planted", type=int, default=200, help="copies of each kind")
    arguments = parser.parse_args()
    workers = available_cores()
    with tempfile.TemporaryDirectory() as folder:
        array = f"{folder}/pack.npy"
        make_pack(array, arguments.patches, workers)
        planted = plant(array, arguments.planted)
        rows = np.arange(arguments.patches)
        search, pairs = measured("search for duplicates", find_duplicates, array, rows, workers, Path(folder))
        looks, features = measured("appearance", measure_pack, array, rows, workers)
        clusters, _ = measured("clusters", cluster, features, 20, 0)
    print(describe_machine())
    print(f"{arguments.patches:,} patches, {workers} processes\n")
    print(table([search, looks, clusters]), end="\n\n")
    print(table(recall(pairs, planted)))


def measured(step: str, function, *inputs) -> tuple[dict, object]:
    """A row of the table for one step, and what the step returned.

    CPU seconds are those of all processes: on a shared machine they say more than the time that went by.
    Memory is the most so far of this process and of the largest worker, what each maps of the pack included.
    """
    started, used = time.perf_counter(), cpu_seconds()
    result = function(*inputs)
    row = {"step": step, "seconds": time.perf_counter() - started, "CPU seconds": cpu_seconds() - used}
    peaks = [usage.ru_maxrss / 1024**2 for usage in usages()]
    return row | {"GiB, this process": peaks[0], "GiB, largest worker": peaks[1]}, result


def cpu_seconds() -> float:
    return sum(usage.ru_utime + usage.ru_stime for usage in usages())


def usages() -> list[resource.struct_rusage]:
    """Of this process, and of its workers that have ended."""
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def recall(pairs, planted: dict[str, list[tuple[int, int]]]) -> list[dict]:
    """Rows of the table: how many of each kind were found, and how many pairs were found that are none."""
    found = set(zip(pairs.row_a, pairs.row_b, strict=True))
    rows = [
        {"planted": kind, "pairs": len(wanted), "found": len(found & set(wanted))}
        for kind, wanted in planted.items()
    ]
    false = found.difference(*planted.values())
    return [*rows, {"planted": "nothing (false pairs)", "pairs": 0, "found": len(false)}]


# --- the pack ---------------------------------------------------------------------------------------


def make_pack(array: str, patches: int, workers: int) -> None:
    """Write a pack of patches of which no two show the same tissue in the same way."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (patches, SIZE, SIZE, 3)}
    # Written, not mapped: written pages never count as this process's memory.
    with open(array, "wb") as file, ProcessPoolExecutor(workers) as pool:
        np.lib.format.write_array_header_1_0(file, header)
        row = 0
        for views in pool.map(draw_views, range(math.ceil(patches / VIEWS)), chunksize=32):
            file.write(views[: patches - row].tobytes())
            row += VIEWS


def draw_views(index: int) -> np.ndarray:
    """Draw a patch and look at it at several angles and magnifications: uint8 VIEWS×SIZE×SIZE×3."""
    slide = draw_slide(np.random.default_rng([0, index % SLIDES]))
    patch = draw_patch(np.random.default_rng([1, index]), slide, index % 2)
    wide = Image.fromarray(
        np.pad(patch, ((SIZE // 2, SIZE // 2), (SIZE // 2, SIZE // 2), (0, 0)), "symmetric")
    )
    views = []
    for view in range(VIEWS):
        angle = math.radians(90 * view / VIEWS)  # a quarter turn would be the same tissue again
        scale = 0.75 + 0.5 * (view * 3 % VIEWS) / VIEWS
        c, s = scale * math.cos(angle), scale * math.sin(angle)
        start = SIZE - (c + s) * SIZE / 2, SIZE - (c - s) * SIZE / 2
        matrix = (c, s, start[0], -s, c, start[1])
        views.append(np.asarray(wide.transform((SIZE, SIZE), Image.Transform.AFFINE, matrix, Image.BILINEAR)))
    return np.stack(views)


def plant(array: str, count: int) -> dict[str, list[tuple[int, int]]]:
    """Overwrite patches by copies of others, each in a random orientation; the pairs of rows by kind."""
    pixels = np.load(array, mmap_mode="r+")
    rng = np.random.default_rng(2)
    rows = iter(rng.permutation(len(pixels)).tolist())
    planted: dict[str, list[tuple[int, int]]] = {kind: [] for kind in COPIES}
    for kind, copy in COPIES.items():
        for _ in range(count):
            source, target = next(rows), next(rows)
            image = copy(pixels[source], pixels[target], rng).transpose(2, 0, 1)
            pixels[target] = symmetries(image)[rng.integers(8)].transpose(1, 2, 0)
            planted[kind].append((min(source, target), max(source, target)))
    return planted


def jittered(image: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another brightness, contrast and tint, and sensor noise."""
    gain = rng.uniform(0.85, 1.15) * rng.uniform(0.95, 1.05, 3)
    values = image * gain + rng.uniform(-12, 12) + rng.normal(0, 2, image.shape)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def compressed(image: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=70)
    return np.asarray(Image.open(buffer))


def shifted(pixels: int, image: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A crop that begins some pixels further down and right; what the image does not show is of another."""
    crop = other.copy()
    crop[:-pixels, :-pixels] = image[pixels:, pixels:]
    return crop


def shifted_and_jittered(image: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return jittered(shifted(32, image, other, rng), other, rng)


COPIES = {
    "the same pixels": lambda image, other, rng: image,
    "brightness, tint and noise": jittered,
    "JPEG, quality 70": compressed,
    "crop moved by 8, 8 px": functools.partial(shifted, 8),
    "crop moved by 15, 15 px": functools.partial(shifted, 15),
    "crop moved by 32, 32 px": functools.partial(shifted, 32),
    "crop moved by 32, 32 px, brightness, tint and noise": shifted_and_jittered,
}


if __name__ == "__main__":
    main()
