"""Read every image again and list those that changed in place since the pack was made.

Nothing else detects such changes: the workflow itself looks at the names of the images only.
"""

import sys
from pathlib import Path

from experiment import parse

from histopatch.cores import available_cores, core_count
from histopatch.data.verify import changed_images

if __name__ == "__main__":
    request = parse(__doc__)
    workers = core_count(request.runtime["workers"], threads=available_cores())
    found = False
    dataset, pack = request.experiment.dataset, request.results / "pack"
    for part in dataset.parts:
        if not (pack / f"{part}.npy").is_file():
            sys.exit(f"Error: {pack / part}.npy does not exist; run the workflow first")
        images = dataset.images(part)
        changed = changed_images(images, pack / f"{part}.npy", pack / f"{part}.index.csv", workers)
        for file in changed:
            print(f"changed: {Path(images.where, file)}")
        if changed:
            print(f"To pack them again: snakemake --cores 1 --resources gpu=1 --forcerun {pack / part}.npy")
        found = found or bool(changed)
    if found:
        sys.exit(1)
    print(f"All packed images of {request.name} are unchanged.")
