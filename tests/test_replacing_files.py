"""Files that are written appear whole or not at all, and leave nothing behind."""

import errno
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from skmnist.datasets import _files, write_csv, write_idx, write_npz
from skmnist.datasets._files import replacing

WRITERS = {
    "idx": lambda path: write_idx(path, np.arange(3)),
    "csv": lambda path: write_csv(path, np.zeros((2, 4), int), [0, 1]),
    "npz": lambda path: write_npz(path, np.zeros((2, 2, 2), int), [0, 1]),
}
writers = pytest.mark.parametrize("write", WRITERS.values(), ids=list(WRITERS))
posix = pytest.mark.skipif(os.name != "posix", reason="locks and folders of POSIX")

WRITE_AND_WAIT = """
import sys
from skmnist.datasets._files import replacing
with replacing(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    sys.stdin.read()
    file.write(b" and half")
"""


def start_writing(path):
    """Start a process that is in the middle of a file."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE_AND_WAIT, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"writing\n"
    return process


def temporary_files(folder):
    return list(folder.glob(".skmnist-*.part"))


@writers
def test_what_a_killed_process_left_is_cleared_by_the_next_write(tmp_path, write):
    process = start_writing(tmp_path / "one")
    os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    process.communicate()
    assert len(temporary_files(tmp_path)) == 1
    write(tmp_path / "two")
    assert [path.name for path in tmp_path.iterdir()] == ["two"]


def test_a_file_that_is_being_written_is_not_cleared(tmp_path):
    process = start_writing(tmp_path / "one")
    write_idx(tmp_path / "two", np.arange(3))
    assert len(temporary_files(tmp_path)) == 1
    with replacing(tmp_path / "three"), replacing(tmp_path / "four"):
        assert len(temporary_files(tmp_path)) == 3  # of this process too
    process.communicate(b"")
    assert process.returncode == 0
    assert (tmp_path / "one").read_bytes() == b"half and half"
    assert temporary_files(tmp_path) == []


@posix
def test_a_file_cleared_before_it_was_locked_is_begun_again(tmp_path, monkeypatch):
    lock, cleared = _files.fcntl.flock, []

    def clear_first(file, how):
        if not cleared:
            cleared.extend(temporary_files(tmp_path))
            cleared[0].unlink()
        return lock(file, how)

    monkeypatch.setattr(_files.fcntl, "flock", clear_first)
    write_idx(tmp_path / "labels", [1, 2])
    assert cleared
    assert [path.name for path in tmp_path.iterdir()] == ["labels"]


@posix
def test_a_file_system_without_locks_is_written_to(tmp_path, monkeypatch):
    def refuse(file, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(_files.fcntl, "flock", refuse)
    (tmp_path / ".skmnist-1-00.part").write_bytes(b"")
    write_idx(tmp_path / "labels", [1, 2])
    # Whether anybody is writing the other file cannot be known.
    assert len(temporary_files(tmp_path)) == 1


@posix
def test_data_are_on_the_disk_before_they_get_their_name(tmp_path, monkeypatch):
    calls = []
    sync, replace = os.fsync, os.replace

    def record_sync(descriptor):
        kind = "folder" if os.path.isdir(f"/dev/fd/{descriptor}") else "file"
        if kind == "file":
            assert os.fstat(descriptor).st_size == 5
        calls.append(kind)
        return sync(descriptor)

    def record_replace(source, target):
        calls.append("rename")
        return replace(source, target)

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(os, "replace", record_replace)
    with replacing(tmp_path / "x") as file:
        file.write(b"hello")
    assert calls == ["file", "rename", "folder"]


@posix
def test_a_folder_that_cannot_be_synced_is_no_error(tmp_path, monkeypatch):
    sync = os.fsync

    def refuse_folders(descriptor):
        if os.path.isdir(f"/dev/fd/{descriptor}"):
            raise OSError(errno.EINVAL, "Invalid argument")
        return sync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    write_idx(tmp_path / "x", [1])
    assert (tmp_path / "x").exists()


def fail_to_open(monkeypatch, number):
    """Let temporary files fail to open as in a read-only folder; root may write."""

    def refuse(path, *args, **kwargs):
        if ".skmnist-" in str(path):
            raise OSError(number, os.strerror(number), str(path))
        return open(path, *args, **kwargs)

    monkeypatch.setattr(_files, "open", refuse, raising=False)


def fail_to_rename(monkeypatch, number):
    def refuse(source, target):
        raise OSError(number, os.strerror(number), str(source), None, str(target))

    monkeypatch.setattr(os, "replace", refuse)


def fail_to_sync(monkeypatch, number):
    def refuse(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)


@writers
@pytest.mark.parametrize(
    ("fail", "number"),
    [
        (fail_to_open, errno.EACCES),
        (fail_to_open, errno.EROFS),
        (fail_to_rename, errno.EPERM),
        (fail_to_sync, errno.ENOSPC),
    ],
)
def test_errors_name_the_file_that_was_asked_for(
    tmp_path, monkeypatch, write, fail, number
):
    path = tmp_path / "images"
    fail(monkeypatch, number)
    with pytest.raises(OSError, match=re.escape(str(path))) as caught:
        write(path)
    assert caught.value.errno == number
    assert ".part" not in str(caught.value)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


@posix
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_read_only_folder_is_reported_with_the_file_asked_for(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError, match=re.escape(str(tmp_path / "x"))):
            write_idx(tmp_path / "x", [1])
    finally:
        tmp_path.chmod(0o700)


def test_a_file_in_the_place_of_a_folder_is_reported_with_the_file_asked_for(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    path = tmp_path / "file" / "images"
    with pytest.raises(OSError, match=re.escape(str(path))) as caught:
        write_idx(path, [1])
    assert ".part" not in str(caught.value)
