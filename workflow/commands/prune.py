"""List the folders of runs and folds that the configuration no longer has; remove them with --remove."""

import shutil
from pathlib import Path

from experiment import Request, parse


def obsolete(request: Request) -> list[Path]:
    """The folders of runs that are not in the configuration, and of folds that a run no longer has."""
    current = request.experiment.runs
    found = []
    for folder in sorted((request.results / "runs").glob("*")):
        if folder.name not in current:
            found.append(folder)
            continue
        count = request.experiment.fold_count(current[folder.name])
        folds = {f"fold-{fold}" for fold in range(count)}
        found += sorted(fold for fold in folder.glob("fold-*") if fold.name not in folds)
    return found


if __name__ == "__main__":
    request = parse(__doc__, remove="remove the folders instead of listing them")
    folders = obsolete(request)
    for folder in folders:
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        print(f"{folder}  {size / 1e6:.1f} MB")
        if request.arguments.remove:
            shutil.rmtree(folder)
    if not folders:
        print(f"Nothing to remove: every folder of a run of {request.name} is in the configuration.")
    elif request.arguments.remove:
        print(f"Removed {len(folders)}.")
    else:
        print(
            f"Folders that are not in the configuration: {len(folders)}. To remove them: make prune REMOVE=1"
        )
