"""Speed and memory of the data steps at the size of Kaggle's set: packing, cleaning, splitting, reading.

    python benchmarks/kaggle_scale.py

The folder has as many images as Kaggle's, under names like Kaggle's, but they are hard links to a few
thousand synthetic patches. So the files come from the page cache, and the disk's own speed plays no part.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from machine import cpu_seconds, describe_machine, peak_bytes, table

from histopatch.cores import ENVIRONMENT, available_cores

# What a step needs is imported by the functions that prepare it, each in a process of its own: Linux
# counts the memory of a process at its start as that of its parent, so the parent stays small.

SEED = 0
PATCH_SIZE = 96
PATCH_BYTES = 3 * PATCH_SIZE**2
BATCH = 64
MOST_ON_ONE_CORE = 20_000  # images to pack with one worker
MOST_READ = 100_000  # images to read in random batches
SAMPLE_SECONDS = 0.05
MB = 1e6
NOTES = """\
images per CPU second: by the processor time of all processes, which busy neighbours change far less.
largest process: peak of the resident memory (ru_maxrss) of the largest one, workers included.
after imports: how much of it came on top of the step's own process with its libraries loaded.
process tree: peak of the sum of resident memory over all processes of the step, sampled every 50 ms,
nothing subtracted: pages that workers share with their parent count once for each."""


class Place(NamedTuple):
    """A folder for everything, and how large the set in it is."""

    folder: Path
    train: int
    test: int
    sources: int

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def counts(self) -> dict[str, int]:
        """Images by folder; `subset` is for the one worker."""
        return {"train": self.train, "test": self.test, "subset": min(self.train, MOST_ON_ONE_CORE)}

    def pack(self, part: str) -> dict[str, str]:
        """The files of a pack, as `pack_images` calls them."""
        kinds = {"array": "npy", "index": "index.parquet", "rejected": "rejected.csv"}
        return {name: str(self.folder / f"pack/{part}.{kind}") for name, kind in kinds.items()}


class Step(NamedTuple):
    """Something to measure: how many images it is about, and what prepares it and returns the work."""

    images: int
    prepare: Callable[[], Callable[[], object]]


def plan(place: Place) -> dict[str, Step]:
    """All steps in their order; each reads what those before it made."""
    train, test, subset = place.counts.values()
    workers = available_cores()
    return {
        f"pack train, {workers} workers": Step(train, lambda: prepare_packing(place, "train", workers)),
        f"pack test, {workers} workers": Step(test, lambda: prepare_packing(place, "test", workers)),
        "pack a part of train, 1 worker": Step(subset, lambda: prepare_packing(place, "subset", 1)),
        "clean": Step(train, lambda: prepare_cleaning(place)),
        "split": Step(train, lambda: prepare_splitting(place)),
        "digest of all image names": Step(train + test, lambda: prepare_naming(place)),
        f"read random batches of {BATCH}": Step(min(train, MOST_READ), lambda: prepare_reading(place)),
        f"shuffled pass in batches of {BATCH}": Step(train, lambda: prepare_pass(place)),
    }


# --- the steps --------------------------------------------------------------------------------------


def prepare_packing(place: Place, part: str, workers: int) -> Callable:
    from histopatch.data.pack import pack_images

    def work() -> None:
        pack_images(images_of(place, part), PATCH_SIZE, **place.pack(part), workers=workers)

    return work


def images_of(place: Place, part: str):
    """The images of a part, listed as the workflow lists them."""
    from histopatch.data.images import ImageFiles
    from histopatch.data.listing import list_images

    folder = place.data / part
    files = list_images(folder)
    return ImageFiles(str(folder), [Path(file).stem for file in files], files)


def prepare_cleaning(place: Place) -> Callable:
    from histopatch.data.clean import clean_files
    from histopatch.settings import Cleaning

    pack, labels = place.pack("train"), place.folder / "labels"
    outputs = [str(labels / name) for name in ("clean.csv", "rejected.csv", "summary.json")]
    return partial(
        clean_files,
        dataset_of(place),
        pack["index"],
        pack["rejected"],
        Cleaning(**default_experiment()["cleaning"]),
        *outputs,
    )


def prepare_splitting(place: Place) -> Callable:
    from histopatch.data.splits import split_files
    from histopatch.settings import Split

    split = Split(**default_experiment()["splits"]["main"])
    files = [str(place.folder / name) for name in ("labels/clean.csv", "splits/main.csv")]
    return partial(split_files, files[0], dataset_of(place), None, None, split, files[1])


def dataset_of(place: Place):
    from histopatch.data.formats.kaggle import Kaggle

    return Kaggle(str(place.data))


def prepare_naming(place: Place) -> Callable:
    from histopatch.data.images import names_digest

    def work() -> None:
        for part in ("train", "test"):
            names_digest(images_of(place, part))

    return work


def prepare_reading(place: Place) -> Callable:
    """Batches by `Pixels`, on one core as it has no threads."""
    patches, rows = shuffled_pack(place)
    batches = [batch.numpy() for batch in rows[:MOST_READ].split(BATCH)]

    def work() -> None:
        for batch in batches:
            patches.pixels[batch]

    return work


def prepare_pass(place: Place) -> Callable:
    """The whole pack once through `Patches.batches`, as a training reads it, but without a network."""
    patches, rows = shuffled_pack(place)

    def work() -> None:
        for _ in patches.batches(rows, BATCH):
            pass

    return work


def shuffled_pack(place: Place):
    """The pack of the training images, opened for streaming, and all its rows in a random order."""
    import torch

    from histopatch.engine.patches import Patches

    patches = Patches(place.pack("train")["array"], torch.device("cpu"))
    return patches, torch.randperm(place.train, generator=torch.Generator().manual_seed(SEED))


def default_experiment() -> dict:
    """An experiment with every default filled in."""
    from histopatch.config import load

    experiment = {
        "dataset": {"format": "kaggle", "root": "data"},
        "studies": {"study": {"runs": {"run": {}}}},
        "final": {"study": "study"},
    }
    return load({"experiment": "any", "experiments": {"any": experiment}})["experiments"]["any"]


# --- the folder of images ---------------------------------------------------------------------------


def make_data(place: Place) -> None:
    """Draw the patches, link every image to one of them and write the tables."""
    import pandas as pd

    from histopatch.data.synthetic import patch_id, plan_patches, write_patch

    sources = plan_patches(place.folder / "sources", "train", place.sources, slides=24, seed=SEED)
    sources[0].path.parent.mkdir(parents=True)
    with ProcessPoolExecutor(available_cores()) as pool:
        list(pool.map(write_patch, sources, chunksize=32))  # the list raises workers' errors
    labels = [source.label for source in sources]
    for part, count in place.counts.items():
        ids = [patch_id(SEED, part, number) for number in range(count)]
        (place.data / part).mkdir(parents=True)
        for number, name in enumerate(ids):
            os.link(sources[number % place.sources].path, place.data / part / f"{name}.tif")
        rows = pd.DataFrame({"id": ids, "label": [labels[n % place.sources] for n in range(count)]})
        if part == "train":
            rows.to_csv(place.data / "train_labels.csv", index=False)
        elif part == "test":
            rows.assign(label=0).to_csv(place.data / "sample_submission.csv", index=False)


def provide_data(place: Place) -> None:
    """Make the folder of images unless it is there already; ends with one line where that cannot be."""
    needed = PATCH_BYTES * (sum(place.counts.values()) + place.sources)
    free = shutil.disk_usage(place.folder).free
    if free < needed:
        sys.exit(
            f"Error: {place.folder}: {needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free; "
            "name a folder on a larger disk with --folder"
        )
    made, size = place.folder / "made.json", [*place.counts.values(), place.sources]
    if made.is_file():
        if json.loads(made.read_text()) != size:
            sys.exit(f"Error: {place.folder}: a set of another size is there; name another folder")
        return
    print("making the folder of images", file=sys.stderr)
    # In a process of its own, see above.
    with ProcessPoolExecutor(1) as pool:
        pool.submit(make_data, place).result()
    made.write_text(json.dumps(size))


# --- measuring --------------------------------------------------------------------------------------


def measure(step: Step) -> dict:
    """Do a step in this process: seconds, and memory in bytes."""
    work = step.prepare()
    loaded, cpu, started = peak_bytes(), cpu_seconds(), time.perf_counter()
    work()
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": cpu_seconds() - cpu,
        "largest": peak_bytes(),
        "loaded": loaded,
    }


def measure_in_child(name: str, place: Place) -> dict:
    """Do a step in a process of its own and return its row of the table."""
    print(name, file=sys.stderr)
    sizes = [f"--{key}={value}" for key, value in place._asdict().items()]
    command = [sys.executable, __file__, *sizes, f"--step={name}"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | ENVIRONMENT)
    tree = peak_of_tree(child)
    output = child.communicate()[0]
    if child.returncode:
        sys.exit(f"Error: the step {name!r} failed")
    found, images = json.loads(output), plan(place)[name].images
    return {
        "step": name,
        "images": images,
        "seconds": found["seconds"],
        "images/s": images / found["seconds"],
        "images per CPU second": images / found["cpu_seconds"],
        "largest process, MB": found["largest"] / MB,
        "after imports, MB": (found["largest"] - found["loaded"]) / MB,
        "process tree, MB": tree / MB,
    }


def peak_of_tree(child: subprocess.Popen) -> int:
    """Follow a process until it ends: the largest sum of resident memory over it and its children."""
    peak, root = 0, psutil.Process(child.pid)
    while child.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):  # one that ends between two looks
            processes = [root, *root.children(recursive=True)]
            peak = max(peak, sum(process.memory_info().rss for process in processes))
        time.sleep(SAMPLE_SECONDS)
    return peak


# --- the command ------------------------------------------------------------------------------------


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", type=int, default=220_025, help="training images")
    parser.add_argument("--test", type=int, default=57_458, help="test images")
    parser.add_argument(
        "--sources", type=int, default=2000, help="patches to draw; ext4 takes 65,000 links to one"
    )
    parser.add_argument(
        "--folder", type=Path, help="make everything there, keep it and use it again; else a temporary one"
    )
    parser.add_argument("--step", help=argparse.SUPPRESS)  # what a child does
    return parser.parse_args()


@contextlib.contextmanager
def folder(given: Path | None) -> Iterator[Path]:
    """The folder that was given, which is kept, or a temporary one."""
    if given:
        given.mkdir(parents=True, exist_ok=True)
        yield given
    else:
        with tempfile.TemporaryDirectory(prefix="kaggle-scale-") as temporary:
            yield Path(temporary)


def main() -> None:
    arguments = parse()
    with folder(arguments.folder) as root:
        place = Place(root, arguments.train, arguments.test, arguments.sources)
        if arguments.step:
            print(json.dumps(measure(plan(place)[arguments.step])))
            return
        machine = describe_machine()
        provide_data(place)
        rows = [measure_in_child(name, place) for name in plan(place)]
    print(machine, table(rows), NOTES, sep="\n\n")


if __name__ == "__main__":
    main()
