"""List the folders of runs and folds that no configuration names any more; remove them when told to."""

import shutil
from pathlib import Path

from experiment import Asked, parse


def unnamed(asked: Asked) -> list[Path]:
    """The folders of runs that the configuration does not name, and of folds that a run no longer has."""
    named = asked.experiment.runs
    found = []
    for folder in sorted((asked.results / "runs").glob("*")):
        if folder.name not in named:
            found.append(folder)
            continue
        count = asked.experiment.fold_count(named[folder.name])
        folds = {f"fold-{fold}" for fold in range(count)}
        found += sorted(fold for fold in folder.glob("fold-*") if fold.name not in folds)
    return found


if __name__ == "__main__":
    asked = parse(__doc__, remove="remove the folders instead of listing them")
    folders = unnamed(asked)
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
