"""Damaged files: whatever the bytes, the outcome is the right data or our error.

What is right is decided by readers that share nothing with the package's own: the
bytes themselves for IDX, plain Python for CSV, numpy for npz.
"""

import gzip
import io
import re
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skmnist.datasets import DataFormatError, read_csv, read_idx, read_npz

IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def fuzz(n_examples):
    """The same examples in every run, however slow the machine."""
    return settings(
        max_examples=n_examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def idx(code, *sizes):
    values = np.arange(np.prod(sizes)).reshape(sizes).astype(IDX_TYPES[code])
    header = struct.pack(f">HBB{len(sizes)}I", 0, code, len(sizes), *sizes)
    return header + values.tobytes()


def npz(save):
    stream = io.BytesIO()
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    save(stream, x_train=images, y_train=np.array([1, 2]))
    return stream.getvalue()


IDX_FILES = [idx(8, 2, 3, 3), idx(12, 5), idx(13, 2, 2), idx(14, 1, 1, 1, 2), idx(8, 4)]
IDX_FILES += [gzip.compress(data, mtime=0) for data in IDX_FILES[:3]]
CSV_FILES = [
    b"label,p0,p1,p2\n5,0,255,17\n0,1,2,3\n9,128,64,32\n",
    b"label,1x1,1x2\r\n12,0,99\r\n3,100,200\r\n",
    b"1,2\n3,4",
    b"\xef\xbb\xbf7, 8\n\n9,10\n",
]
CSV_FILES += [gzip.compress(data, mtime=0) for data in CSV_FILES[:2]]
NPZ_FILES = [npz(np.savez), npz(np.savez_compressed)]


DAMAGES = ["flip", "change", "remove", "repeat", "insert", "cut"]


@st.composite
def damaged(draw, files, alphabet):
    """Take a good file and change, remove, repeat or insert a few bytes."""
    data = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        length = draw(st.integers(1, 4))
        match draw(st.sampled_from(DAMAGES)):
            case "flip" if start < len(data):
                data[start] ^= 1 << draw(st.integers(0, 7))
            case "change":
                data[start : start + length] = draw(alphabet)
            case "remove":
                del data[start : start + length]
            case "repeat":
                data[start:start] = data[start : start + 4 * length]
            case "insert":
                data[start:start] = draw(alphabet)
            case "cut":
                del data[start:]
    return bytes(data)


ANY_BYTES = st.binary(min_size=1, max_size=4) | st.sampled_from(
    [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\x08\x03", b"\x1f\x8b", b"PK\x01\x02"]
)
CSV_BYTES = ANY_BYTES | st.sampled_from(
    [b",", b"\n", b"\r", b"-", b".", b"nan", b"256", b" ", b'"', b"#", b"label", b"1e1"]
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "data"


def unpacked(data):
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def check_idx(path, data):
    path.write_bytes(data)
    try:
        found = read_idx(path)
    except DataFormatError as err:
        return str(err)
    data = unpacked(data)
    n_dims = data[3]
    assert data[:2] == b"\0\0"
    assert found.shape == struct.unpack_from(f">{n_dims}I", data, 4)
    assert found.astype(IDX_TYPES[data[2]]).tobytes() == data[4 + 4 * n_dims :]
    return None


def check_csv(path, data):
    path.write_bytes(data)
    try:
        X, y = read_csv(path)
    except DataFormatError as err:
        return str(err)
    lines = re.split(r"\r\n|\r|\n", unpacked(data).decode("utf-8-sig", "replace"))
    cells = [
        line.rstrip(" ").removesuffix(",").split(",") for line in lines if line.strip()
    ]
    rows = [list(map(number, row)) for row in cells]
    if None in rows[0] or any(line.startswith("#") for line in lines):
        del rows[: len(rows) - len(X)]
    assert len(rows) == len(X)
    columns = [X] if y is None else [y, X]
    np.testing.assert_array_equal(np.column_stack(columns), rows)
    return None


def number(cell):
    """Read a cell as plain Python does; None for what is no whole number."""
    try:
        value = float(cell.strip(" \t").removeprefix('"').removesuffix('"'))
    except ValueError:
        return None
    return int(value) if value.is_integer() else None


def check_npz(path, data):
    path.write_bytes(data)
    try:
        found = read_npz(path)
    except DataFormatError as err:
        return str(err)
    with np.load(path, allow_pickle=False) as archive:
        names = [name for name in archive.zip.namelist() if name.endswith(".npy")]
        assert list(found) == [name.removesuffix(".npy") for name in names]
        for name, array in found.items():
            np.testing.assert_array_equal(array, archive[name], strict=True)
    return None


@fuzz(1000)
@given(data=damaged(IDX_FILES, ANY_BYTES))
def test_damaged_idx_gives_its_data_or_our_error(path, data):
    check_idx(path, data)


@fuzz(800)
@given(data=damaged(CSV_FILES, CSV_BYTES))
def test_damaged_csv_gives_its_data_or_our_error(path, data):
    check_csv(path, data)


@fuzz(600)
@given(data=damaged(NPZ_FILES, ANY_BYTES))
def test_damaged_npz_gives_its_data_or_our_error(path, data):
    check_npz(path, data)


@fuzz(300)
@given(header=st.binary(max_size=120), shape=st.lists(st.integers(-2, 2**40)))
def test_npz_with_any_array_header_gives_its_data_or_our_error(path, header, shape):
    stream = io.BytesIO()
    fields = {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)}
    np.lib.format.write_array_header_1_0(stream, fields)
    good = stream.getvalue()
    for member in (good + header, good[:10] + header + good[10 + len(header) :]):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("x.npy", member)
        check_npz(path, packed.getvalue())


def test_undamaged_files_are_read(path):
    for data in IDX_FILES:
        assert check_idx(path, data) is None
    for data in CSV_FILES:
        assert check_csv(path, data) is None
    for data in NPZ_FILES:
        assert check_npz(path, data) is None
