"""Packed files that promise or unpack to more than is likely are refused early."""

import gzip
import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from skmnist.datasets import DataFormatError, _files, read_idx, read_npz, write_idx

MB = 1 << 20


def zeros(stream, n_bytes):
    for _ in range(n_bytes // MB):
        stream.write(bytes(MB))


def header(n_bytes):
    stream = io.BytesIO()
    fields = {"descr": "|u1", "fortran_order": False, "shape": (n_bytes,)}
    np.lib.format.write_array_header_1_0(stream, fields)
    return stream.getvalue()


def packed_idx(path, n_bytes, promised):
    with gzip.open(path, "wb", 1) as stream:
        stream.write(struct.pack(">HBBII", 0, 8, 2, promised // MB, MB))
        zeros(stream, n_bytes)


def packed_npz(path, n_bytes, declared=None):
    """Write an archive; its directory may declare fewer bytes than there are."""
    stream = io.BytesIO()
    start = header(declared or n_bytes)
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x_train.npy", "w") as member,
    ):
        member.write(start)
        zeros(member, n_bytes)
    data = stream.getvalue()
    if declared:
        sizes = len(start) + n_bytes, len(start) + declared
        data = data.replace(*(struct.pack("<I", size) for size in sizes))
    path.write_bytes(data)


@pytest.fixture
def memory():
    """Give a function that returns the peak of the memory set aside so far."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


def test_read_npz_unpacks_no_more_than_declared(tmp_path, memory):
    path = tmp_path / "mnist.npz"
    packed_npz(path, 128 * MB, declared=1000)
    with pytest.raises(DataFormatError, match="damaged"):
        read_npz(path)
    assert memory() < 20 * MB


@pytest.mark.parametrize(
    ("name", "write", "read"),
    [
        ("images.gz", lambda path: packed_idx(path, 96 * MB, 96 * MB), read_idx),
        ("images.gz", lambda path: packed_idx(path, 0, 65 * MB), read_idx),
        ("m.npz", lambda path: packed_npz(path, 96 * MB), read_npz),
    ],
)
def test_unlikely_ratios_are_refused_before_unpacking(
    tmp_path, memory, name, write, read
):
    path = tmp_path / name
    write(path)
    with pytest.raises(DataFormatError, match=r"[\d,]+ bytes would unpack to more"):
        read(path)
    assert memory() < 10 * MB


def test_small_files_may_pack_as_well_as_they_like(tmp_path):
    path = tmp_path / "labels.gz"
    write_idx(path, np.zeros(5 * MB, np.uint8))
    assert path.stat().st_size * 500 < 5 * MB
    assert len(read_idx(path)) == 5 * MB


@pytest.mark.parametrize("kind", ["idx", "npz"])
def test_large_damaged_files_are_refused_before_memory_is_set_aside(
    tmp_path, monkeypatch, memory, kind
):
    monkeypatch.setattr(_files, "_LARGE", 16 * MB)
    path = tmp_path / f"images.{kind}"
    if kind == "idx":
        packed_idx(path, 31 * MB, 32 * MB)
        read, words = read_idx, "only 32,505,856 follow"
    else:
        packed_npz(path, 32 * MB)
        data = bytearray(path.read_bytes())
        at = data.index(b"PK\x01\x02") + 16  # the checksum in the directory
        data[at] ^= 1
        path.write_bytes(data)
        read, words = read_npz, "CRC"
    with pytest.raises(DataFormatError, match=words):
        read(path)
    assert memory() < 12 * MB


@pytest.mark.parametrize("kind", ["idx", "npz"])
def test_large_files_that_are_right_are_read(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(_files, "_LARGE", 1000)
    pixels = np.arange(4000, dtype=np.uint8).reshape(10, 20, 20)
    if kind == "idx":
        write_idx(tmp_path / "images.gz", pixels)
        found = read_idx(tmp_path / "images.gz")
    else:
        np.savez_compressed(tmp_path / "m.npz", x=pixels, y=pixels[::2].T)
        found = read_npz(tmp_path / "m.npz")["x"]
        assert (read_npz(tmp_path / "m.npz")["y"] == pixels[::2].T).all()
    np.testing.assert_array_equal(found, pixels)


def test_the_largest_published_set_is_within_the_limits():
    # EMNIST by class: 697,932 images of 28×28 in 536 MB, about a tenth of it packed.
    _files.refuse_bomb("file", 54_000_000, 697_932 * 784 + 16)


def test_archives_of_very_many_members_are_refused_before_they_are_listed(
    tmp_path, monkeypatch
):
    path = tmp_path / "many.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(1001):
            archive.writestr(f"{number}.npy", b"")

    def list_members(self):
        raise AssertionError

    monkeypatch.setattr(zipfile.ZipFile, "_RealGetContents", list_members)
    with pytest.raises(DataFormatError, match="more than 1,000 members"):
        read_npz(path)


def test_plain_file_with_a_wrong_size_is_refused_before_it_is_read(tmp_path, memory):
    path = tmp_path / "images"
    with open(path, "wb") as file:
        file.write(struct.pack(">HBBI", 0, 8, 1, 100 * MB))
        file.truncate(64 * MB)  # a hole, which takes no room on the disk
    with pytest.raises(DataFormatError, match="cut short"):
        read_idx(path)
    assert memory() < MB
