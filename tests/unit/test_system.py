import resource
import shutil
import subprocess
import sys

import pytest

from histopatch.fingerprints import LIBRARY
from histopatch.system import check_system, peak_memory_bytes

ROOT = LIBRARY.parents[1]
# Loaded before the system is changed, since they look at it, too.
LIBRARIES = (
    "snakemake.utils, pandas, numpy, h5py, pyarrow, PIL.Image, psutil, jsonschema, concurrent.futures.process"
)
# Windows, as far as the project can tell.
WINDOWS = """
import sys
sys.platform = "win32"
for name in ("fcntl", "resource", "pwd", "grp"):
    sys.modules[name] = None
"""
LINE = "Error: histopatch needs Linux or macOS; on Windows, install it inside WSL 2"


def test_this_system_is_supported():
    check_system()


@pytest.mark.parametrize(("platform", "unit"), [("linux", 1024), ("darwin", 1)])
def test_peak_memory_is_in_bytes_on_every_system(monkeypatch, platform, unit):
    monkeypatch.setattr(sys, "platform", platform)
    usage = type("Usage", (), {"ru_maxrss": 1000})
    monkeypatch.setattr(resource, "getrusage", lambda who: usage)
    assert peak_memory_bytes() == 1000 * unit


@pytest.mark.input("Machine", "Windows", "refused before anything starts: Linux or macOS, or WSL 2")
@pytest.mark.parametrize("command", ["snakemake", "prune", "status", "verify"])
def test_windows_is_refused_in_one_line(tmp_path, command):
    (tmp_path / "workflow").symlink_to(ROOT / "workflow")
    shutil.copy(ROOT / "config.yaml", tmp_path)
    if command == "snakemake":
        (tmp_path / "Snakefile").write_text(f"{WINDOWS}\n{(ROOT / 'Snakefile').read_text()}")
        call = ["-m", "snakemake", "--dry-run", "--cores", "1"]
    else:
        script = ROOT / f"workflow/commands/{command}.py"
        paths = [str(LIBRARY.parent), str(script.parent)]
        code = f"import runpy, {LIBRARIES}\n{WINDOWS}\nsys.path[:0] = {paths}\nsys.argv[:] = [{command!r}]\n"
        call = ["-c", f"{code}runpy.run_path({str(script)!r}, run_name='__main__')"]
    process = subprocess.run([sys.executable, *call], cwd=tmp_path, text=True, capture_output=True)
    assert process.returncode == 1
    assert process.stderr.splitlines() == [LINE]
