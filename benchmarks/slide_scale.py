"""What a large slide takes: time and peak memory of a pyramidal TIFF of 50,000×50,000 pixels.

    python benchmarks/slide_scale.py --model results/demo/final/model

The slide is an ellipse of tissue, synthetic patches side by side, on glass. It is predicted in a process of
its own, and so is a single tile, which says what PyTorch, the model and the libraries take by themselves.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from machine import describe_machine, table

from histopatch.cores import ENVIRONMENT
from histopatch.data.tissue import draw_patch, draw_slide

TILE, PATCHES = 512, 8  # pixels of a tile of the file; patches across and down before they repeat
LEVELS = (1, 4, 16)
GLASS = 240
MICRONS = 0.5
# Prints the peak of the process's own memory (MB) after its result.
PREDICT = """
import resource, sys
from histopatch import inference
from histopatch.slides.predict import predict_slide
from histopatch.slides.tiling import Tiling
model = inference.load(sys.argv[1], "cpu")
tiling = Tiling(microns_per_pixel=0.5, trained_microns_per_pixel=0.5, stride=int(sys.argv[4]) or None)
found = predict_slide(model, sys.argv[2], sys.argv[3], tiling)
print(found["tiles"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def main() -> None:
    arguments = parse()
    size = json.loads(Path(arguments.model, "model.json").read_text())["patch_size"]
    with tempfile.TemporaryDirectory(prefix="slides-") as temporary:
        small, large = Path(temporary, "small.tif"), Path(temporary, "large.tif")
        write_slide(small, size, 1.0)
        started = time.perf_counter()
        write_slide(large, arguments.side, arguments.tissue)
        made = time.perf_counter() - started
        rows = [
            row("one tile", small, size, arguments, temporary),
            row("the slide", large, arguments.side, arguments, temporary),
        ]
        megabytes = large.stat().st_size / 1e6
    print(describe_machine(), table(rows), sep="\n\n")
    print(f"\nThe file has {megabytes:,.0f} MB and took {made:,.0f} s to write.")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="the folder of an exported model")
    parser.add_argument("--side", type=int, default=50_000, help="width and height of the slide in pixels")
    parser.add_argument("--tissue", type=float, default=0.05, help="the share of the slide that is tissue")
    parser.add_argument("--stride", type=int, default=0, help="pixels from tile to tile; 0 is their size")
    return parser.parse_args()


def write_slide(path: Path, side: int, tissue: float) -> None:
    """A tiled, JPEG-compressed pyramid, written tile by tile."""
    slide = draw_slide(np.random.default_rng(0))
    drawn = [draw_patch(np.random.default_rng([1, n]), slide, n % 2) for n in range(PATCHES**2)]
    texture = np.block([[[patch] for patch in drawn[n::PATCHES]] for n in range(PATCHES)])
    levels = [level for level in LEVELS if level == 1 or side // level >= TILE]
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        for level in levels:
            length, dots = side // level, 10_000 / MICRONS / level
            fine = Image.fromarray(texture).reduce(level)
            file.write(
                tiles(np.asarray(fine), length, tissue),
                shape=(length, length, 3), dtype=np.uint8, photometric="rgb", tile=(TILE, TILE),
                compression="jpeg", subfiletype=int(level > 1), resolution=(dots, dots),
                resolutionunit="CENTIMETER",
            )  # fmt: skip


def tiles(texture: np.ndarray, length: int, tissue: float):
    """The tiles of a level, row by row: the texture within an ellipse that covers a share of the square."""
    radius = np.sqrt(tissue / np.pi) * length if tissue < 1 else 2 * length
    for y in range(0, length, TILE):
        for x in range(0, length, TILE):
            down, across = np.arange(y, y + TILE), np.arange(x, x + TILE)
            inside = np.hypot(down[:, None] - length / 2, across - length / 2) < radius
            tile = np.full((TILE, TILE, 3), GLASS, np.uint8)
            if inside.any():
                cut = texture[np.ix_(down % len(texture), across % len(texture))]
                tile[inside] = cut[inside]
            yield tile


def row(what: str, path: Path, side: int, arguments: argparse.Namespace, temporary: str) -> dict:
    environment = os.environ | ENVIRONMENT | {"PYTHONPATH": str(Path(__file__).parents[1] / "workflow")}
    command = [sys.executable, "-c", PREDICT, arguments.model, str(path), f"{temporary}/out"]
    started = time.perf_counter()
    done = subprocess.run(
        [*command, str(arguments.stride)],
        env=environment, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    count, peak = map(int, done.stdout.split())
    return {
        "what": what,
        "pixels": f"{side:,}×{side:,}",
        "tiles": count,
        "seconds": round(seconds, 1),
        "tiles/s": round(count / seconds, 1),
        "peak memory (MB)": peak,
    }


if __name__ == "__main__":
    main()
