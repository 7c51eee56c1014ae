"""Read every image again and say which changed since the pack was made: nothing else looks for that."""

import sys

from experiment import parse

from histopatch.cores import available_cores, core_count
from histopatch.data.verify import changed_images

if __name__ == "__main__":
    asked = parse(__doc__)
    workers = core_count(asked.runtime["workers"], threads=available_cores())
    found = False
    for part in ("train", "test"):
        folder, pack = asked.data / part, asked.results / "pack"
        if not (pack / f"{part}.npy").is_file():
            sys.exit(f"Error: {pack / part}.npy is not there; run the workflow first")
        changed = changed_images(folder, pack / f"{part}.npy", pack / f"{part}.index.csv", workers)
        for file in changed:
            print(f"changed: {folder / file}")
        if changed:
            print(f"Take them in: snakemake --cores 1 --resources gpu=1 --forcerun {pack / part}.npy")
        found = found or bool(changed)
    if found:
        sys.exit(1)
    print(f"All packed images of {asked.name} are as they were.")
