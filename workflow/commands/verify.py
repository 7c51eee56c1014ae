"""Read every image again and list those that changed in place since the pack was made.

Nothing else detects such changes: the workflow itself looks at the names of the images only.
"""

import sys
from pathlib import Path

from experiment import Request, parse

from histopatch.cores import available_cores, core_count
from histopatch.data.pixels import shard_files
from histopatch.data.verify import changed_images
from histopatch.errors import InputError


def changed_files(request: Request) -> dict[str, list[Path]]:
    """The packs that no longer have the pixels of their images, and the files that changed since.

    Raises InputError where the data set or a pack is not there.
    """
    workers = core_count(request.runtime["workers"], threads=available_cores())
    dataset, found = request.experiment.dataset, {}
    dataset.check()
    for part in dataset.parts:
        array, index = (f"{request.results}/pack/{part}.{suffix}" for suffix in ("npy", "index.parquet"))
        if not Path(array).is_file():
            raise InputError(f"{array} does not exist; run the workflow first")
        images = dataset.images(part)
        if changed := changed_images(images, array, index, workers):
            found[array] = [Path(images.where, file) for file in changed]
    return found


if __name__ == "__main__":
    request = parse(__doc__)
    try:
        found = changed_files(request)
    except InputError as error:
        sys.exit(f"Error: {error}")
    for array, files in found.items():
        for file in files:
            print(f"changed: {file}")
        # A pack in shards is joined of what its shards hold, so those have to be made again.
        forced = "pack_shard" if shard_files(array) else array
        forced += request.for_snakemake
        print(f"To pack them again: snakemake --cores 1 --resources gpu=1 --forcerun {forced}")
    if found:
        sys.exit(1)
    print(f"All packed images of {request.name} are unchanged.")
