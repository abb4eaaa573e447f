"""A home without any data, and tiny sets in the place of the published ones."""

import hashlib

import pytest

from skmnist.datasets import _download, _published

from .sets import NAMES, write_set


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give a home without any data, and no way to any server."""
    for name in ("SKMNIST_DATA", "KERAS_HOME", "SCIKIT_LEARN_DATA", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(_download, "MIRRORS", ("http://127.0.0.1:9/",))
    monkeypatch.setattr(_download, "_TIMEOUT", (5, 5))
    return folder


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Let a tiny set be the published one; give its files by name."""
    write_set(tmp_path / "published", 100)
    files = {name: (tmp_path / "published" / name).read_bytes() for name in NAMES}
    for name, data in files.items():
        expected = _published.PublishedFile(len(data), hashlib.sha256(data).hexdigest())
        monkeypatch.setitem(_published.FILES, name, expected)
    return files
