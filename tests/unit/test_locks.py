import errno
import fcntl
import os

import pytest

from histopatch import locks
from histopatch.locks import open_lock, try_lock


def test_a_lock_is_held_by_one_until_it_is_closed(tmp_path):
    """Its file is open for writing: the locks of NFS are of bytes of a file, and exclusive ones need that."""
    path = tmp_path / "new/.lock"
    with open_lock(path) as second:
        with open_lock(path) as first:
            assert try_lock(first, path)
            assert not try_lock(second, path)
            assert first.writable()
        assert try_lock(second, path)


def fails_with(code: int):
    def flock(file, operation):
        raise OSError(code, os.strerror(code))

    return flock


@pytest.mark.input(
    "Machine",
    "A file system without file locks (Lustre, some NFS)",
    "a warning; jobs of one moment may do the same work, or fail, and the next call goes on",
)
@pytest.mark.parametrize("code", sorted(locks.WITHOUT_LOCKS), ids=errno.errorcode.get)
def test_where_there_are_no_locks_a_warning_says_so(tmp_path, monkeypatch, caplog, code):
    monkeypatch.setattr(fcntl, "flock", fails_with(code))
    with open(tmp_path / "gpu", "w") as file:
        assert try_lock(file, file.name)
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith(
        f"{tmp_path}/gpu: no locks on this file system ({os.strerror(code)})"
    )


def test_the_warning_goes_where_it_is_wanted(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(fcntl, "flock", fails_with(errno.ENOSYS))
    lines = []
    with open(tmp_path / "lock", "w") as file:
        assert try_lock(file, "the lock", lines.append)
    assert len(lines) == 1
    assert not caplog.records


def test_any_other_failure_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", fails_with(errno.EIO))
    with open(tmp_path / "lock", "w") as file, pytest.raises(OSError, match=os.strerror(errno.EIO)):
        try_lock(file, file.name)
