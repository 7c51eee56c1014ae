"""List the folders of runs that no configuration names any more; remove them when told to."""

import shutil

from experiment import parse

from pcam import runs

if __name__ == "__main__":
    asked = parse(__doc__, remove="remove the folders instead of listing them")
    named = runs.all_runs(asked.experiment)
    folders = sorted(path for path in (asked.results / "runs").glob("*") if path.name not in named)
    for folder in folders:
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        print(f"{folder}  {size / 1e6:.1f} MB")
        if asked.arguments.remove:
            shutil.rmtree(folder)
    if not folders:
        print(f"Every run of {asked.name} that has a folder is named by the configuration.")
    elif asked.arguments.remove:
        print(f"Removed {len(folders)}.")
    else:
        print(f"{len(folders)} that the configuration does not name. Remove them: make prune REMOVE=1")
