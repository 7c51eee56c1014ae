"""List the folders of runs and folds, and the feature banks, that the configuration no longer has.

They are removed with --remove.
"""

import shutil
from pathlib import Path

from experiment import Request, parse

from histopatch.banks import bank_of


def obsolete(request: Request) -> list[Path]:
    """The folders of runs that are not in the configuration and of folds that a run no longer has, and the
    files of banks that no run reads.
    """
    current = request.experiment.runs
    found = []
    for folder in sorted((request.results / "runs").glob("*")):
        if folder.name not in current:
            found.append(folder)
            continue
        count = request.experiment.fold_count(current[folder.name])
        folds = {f"fold-{fold}" for fold in range(count)}
        found += sorted(fold for fold in folder.glob("fold-*") if fold.name not in folds)
    read = {bank.name for run in current.values() if (bank := bank_of(run.identity))}
    return found + sorted(
        file for file in (request.results / "features").glob("*.*") if file.stem not in read
    )


if __name__ == "__main__":
    request = parse(__doc__, remove="remove the folders instead of listing them")
    folders = obsolete(request)
    for folder in folders:
        size = sum(file.stat().st_size for file in (folder, *folder.rglob("*")) if file.is_file())
        print(f"{folder}  {size / 1e6:.1f} MB")
        if request.arguments.remove:
            if folder.is_dir():
                shutil.rmtree(folder)
            else:
                folder.unlink()
    if not folders:
        print(f"Nothing to remove: every folder of a run of {request.name} is in the configuration.")
    elif request.arguments.remove:
        print(f"Removed {len(folders)}.")
    else:
        print(
            f"Folders that are not in the configuration: {len(folders)}. To remove them: make prune REMOVE=1"
        )
