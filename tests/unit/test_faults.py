"""What a machine can do to a running job: one clear line, finished work kept, the next call goes on."""

import errno
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from histopatch.data import decode, pack
from histopatch.data.images import ImageFiles
from histopatch.data.listing import list_images
from histopatch.errors import InputError, check_writable, one_line
from histopatch.fingerprints import LIBRARY

NAMES = ("train.npy", "train.index.parquet", "train.rejected.csv")
SIZE = 64


@pytest.fixture
def images(tmp_path) -> ImageFiles:
    """100 images of 12 KB each in the pack."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(100):
        Image.new("RGB", (SIZE, SIZE), (number, 0, 0)).save(folder / f"{number:02d}.png")
    files = list_images(folder)
    return ImageFiles(str(folder), [Path(file).stem for file in files], files)


@pytest.fixture
def disk(tmp_path):
    """A disk of 1 MB, and how to mount it again with other options."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() or sys.platform != "linux":
        pytest.skip("mounting a small disk takes Linux and root")
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {made.stderr.strip()}")
    yield folder, lambda how: subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True)
    subprocess.run(["umount", "-l", folder], check=True)


def pack_into(folder: Path, images: ImageFiles) -> np.ndarray:
    pack.pack_images(images, SIZE, *(str(folder / name) for name in NAMES), workers=2, code="c0de")
    return np.load(folder / NAMES[0])[:, 0, 0, 0]


@pytest.mark.input("Machine", "A disk that fills up", "one line that names the file; the next call goes on")
def test_a_full_disk_is_one_line_and_the_next_call_goes_on(images, disk, monkeypatch, caplog):
    folder, remount = disk
    monkeypatch.setattr(pack, "CHUNK", 5)
    monkeypatch.setattr(pack, "PART_SECONDS", 0)
    with pytest.raises(OSError) as full:
        pack_into(folder, images)
    line = one_line(full.value)
    assert line.startswith(str(folder))
    assert "No space left on device; fix that and run the same command again" in line
    assert not [*folder.glob("train.*")]
    remount("size=10m")
    with caplog.at_level("INFO"):
        assert pack_into(folder, images).tolist() == [*range(100)]
    assert "going on after" in caplog.text
    assert {path.name for path in folder.iterdir()} == {*NAMES}


@pytest.mark.input("Machine", "Results that cannot be written", "refused in one line before any job")
def test_a_read_only_disk_is_refused_in_one_line(disk):
    folder, remount = disk
    check_writable([folder, folder / "results/mine"])
    remount("ro")
    for asked in (folder, folder / "results/mine"):
        with pytest.raises(InputError, match=f"^{folder}: nothing can be written here"):
            check_writable([asked])


def test_a_project_on_a_read_only_disk_is_refused_in_one_line(disk):
    folder, remount = disk
    remount("size=20m")
    for name in ("Snakefile", "config.yaml", "workflow", "profiles"):
        source = LIBRARY.parents[1] / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / name)
    remount("ro")
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"Error: {folder}: nothing can be written here")
    assert "Traceback" not in done.stderr


def test_folders_that_are_to_be_made_are_judged_by_what_is_there(tmp_path):
    check_writable([tmp_path / "a/b/c", tmp_path])
    assert not [*tmp_path.iterdir()]


@pytest.mark.input(
    "Images", "an image that vanishes while it is packed", "one line that names it; the next call goes on"
)
@pytest.mark.parametrize("named", [False, True], ids=["in a folder", "of a table"])
def test_an_image_that_vanishes_stops_the_packing_in_one_line(images, tmp_path, named):
    """It is not set aside: where its disk was lost, that would be all of them, for good."""
    images = replace(images, named=named)
    gone = Path(images.where, images.files[50])
    gone.rename(tmp_path / "elsewhere.png")
    with pytest.raises(InputError, match=f"^'{gone}': it was removed, or its disk, since the work began"):
        pack_into(tmp_path / "pack", images)
    (tmp_path / "elsewhere.png").rename(gone)
    assert pack_into(tmp_path / "pack", images).tolist() == [*range(100)]


def test_an_image_that_nobody_has_seen_is_set_aside(images, tmp_path):
    ids, files = [*images.ids, "none"], [*images.files, "none.png"]
    unseen = ImageFiles(images.where, ids, files, named=True, seen=False)
    assert len(pack_into(tmp_path / "pack", unseen)) == 101
    assert "none.png,unreadable: no such file" in (tmp_path / "pack" / NAMES[2]).read_text()


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE, errno.ENOTCONN], ids=errno.errorcode.get)
def test_a_disk_that_fails_is_no_fault_of_the_image(images, monkeypatch, code):
    def fail(path):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(decode, "_read", fail)
    with pytest.raises(OSError) as failed:
        images.decode(np.zeros((100, SIZE, SIZE, 3), np.uint8))
    path = Path(images.where, images.files[0])
    assert one_line(failed.value) == f"{path}: {os.strerror(code)}; fix that and run the same command again"


MEMORY = """
import resource
from histopatch.console import job_log
with job_log("job.log", "info"):
    import numpy
    resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
    numpy.ones(2**31, numpy.uint8)
"""


@pytest.mark.input("Machine", "Memory that runs out", "one line; the next call goes on")
@pytest.mark.skipif(sys.platform != "linux", reason="limits on memory hold on Linux")
def test_memory_that_runs_out_is_one_line(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(LIBRARY.parent)}
    command = [sys.executable, "-c", MEMORY]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == 1
    (line,) = (tmp_path / "job.log").read_text().splitlines()
    assert "ERROR out of memory (Unable to allocate 2.00 GiB" in line
    assert "lower runtime.workers or batch_size" in line
