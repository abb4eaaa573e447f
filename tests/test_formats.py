"""Reading and writing IDX, CSV and npz files."""

import gzip
import io
import os
import re
import stat
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from skmnist.datasets import (
    DataFormatError,
    _csv,
    _files,
    _text_lines,
    _text_tables,
    read_csv,
    read_idx,
    read_npz,
    write_csv,
    write_idx,
    write_npz,
)

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4) * 10
LABELS = np.array([7, 3])


def idx_bytes(code, sizes, payload):
    return struct.pack(f">HBB{len(sizes)}I", 0, code, len(sizes), *sizes) + payload


def npy_bytes(array=None, header=None, payload=b""):
    stream = io.BytesIO()
    if header is None:
        np.lib.format.write_array(stream, array, allow_pickle=True)
    else:
        np.lib.format.write_array_header_1_0(stream, header)
        stream.write(payload)
    return stream.getvalue()


def write_zip(path, compression=zipfile.ZIP_DEFLATED, **members):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)


def refused(read, path, *words):
    """Read, expect our error, and expect the file and some words in its message."""
    with pytest.raises(DataFormatError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    for word in words:
        assert word in message
    return message


# --- IDX ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a-idx", "a-idx.gz"])
@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8", ">i4", "<f8"])
def test_idx_keeps_type_shape_and_values(tmp_path, dtype, name):
    array = (np.arange(2 * 3 * 4 * 5) - 50).reshape(2, 3, 4, 5).astype(dtype)
    write_idx(tmp_path / name, array[:, ::-1])
    found = read_idx(str(tmp_path / name))
    np.testing.assert_array_equal(found, array[:, ::-1])
    assert found.dtype == np.dtype(dtype).newbyteorder("=")
    assert found.dtype.isnative
    assert found.flags.writeable
    assert found.flags.c_contiguous


def test_idx_bytes_are_those_of_the_published_format(tmp_path):
    write_idx(tmp_path / "x", np.array([[1, -2]], dtype=np.int16))
    expected = bytes.fromhex("00000b02 00000001 00000002 0001 fffe")
    assert (tmp_path / "x").read_bytes() == expected


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([0, 255], dtype=np.int64), "u1"),
        (np.array([0, -128], dtype=np.int64), "i1"),
        (np.array([0, 256], dtype=np.uint16), "i2"),
        (np.array([0, 70_000], dtype=np.uint64), "i4"),
        (np.array([True, False]), "u1"),
        (np.array([0.5, 2], dtype=np.float16), "f4"),
        (np.array([300], dtype=np.int32), "i4"),
    ],
)
def test_write_idx_takes_the_narrowest_type_without_loss(tmp_path, array, expected):
    write_idx(tmp_path / "x", array)
    found = read_idx(tmp_path / "x")
    assert found.dtype == expected
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    ("array", "error"),
    [
        (np.array([2**31]), ValueError),
        (np.array(["7"]), TypeError),
        (np.array([1j]), TypeError),
        (np.array([None]), TypeError),
        (np.zeros((0, 28, 28), np.uint8), ValueError),
        (np.uint8(3), ValueError),
    ],
)
def test_write_idx_refuses_what_the_format_cannot_hold(tmp_path, array, error):
    with pytest.raises(error, match="IDX file"):
        write_idx(tmp_path / "x", array)
    assert list(tmp_path.iterdir()) == []


GOOD = [(read_idx, idx_bytes(8, [3], b"abc")), (read_csv, b"7,1,2\n")]


@pytest.mark.parametrize(("read", "data"), GOOD)
@pytest.mark.parametrize("name", ["digits.gz", "DIGITS.GZ"])
def test_gzip_that_is_not_gzip_is_refused(tmp_path, read, data, name):
    path = tmp_path / name
    path.write_bytes(data)
    refused(read, path, "not a gzip file", data[:4].hex(" "), "1f 8b")
    path.write_bytes(b"")
    refused(read, path, "not a gzip file", "empty")
    path.write_bytes(gzip.compress(data))
    read(path)


@pytest.mark.parametrize(("read", "data"), GOOD)
def test_gzip_is_read_whatever_its_name(tmp_path, read, data):
    (tmp_path / "plain").write_bytes(data)
    (tmp_path / "packed").write_bytes(gzip.compress(data))
    plain, packed = (read(tmp_path / name) for name in ("plain", "packed"))
    assert np.array_equal(plain[0], packed[0])


@pytest.mark.parametrize("name", ["x.gz", "X.GZ"])
def test_what_is_written_under_the_name_of_gzip_is_gzip(tmp_path, name):
    write_idx(tmp_path / name, np.arange(3))
    assert (tmp_path / name).read_bytes()[:2] == b"\x1f\x8b"
    assert read_idx(tmp_path / name).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", ["empty", "IDX"]),
        (b"\0\0", ["magic number", "00 00"]),
        (idx_bytes(7, [1], b"a"), ["magic number", "00 00 07 01"]),
        (b"\x01" + idx_bytes(8, [1], b"a")[1:], ["magic number", "01 00 08 01"]),
        (b"<!DOCTYPE html>", ["not an IDX file", "web page"]),
        (b"\0\0\x08\0", ["0 dimensions"]),
        (b"\0\0\x08\xff" + b"\0\0\0\1" * 255, ["255 dimensions", "64"]),
        (idx_bytes(8, [1, 2], b"")[:9], ["cut short", "2 dimensions"]),
        (idx_bytes(8, [2, 3], b"abcde"), ["cut short", "2×3", "only 5"]),
        (idx_bytes(0x0C, [2], b"abcde"), ["cut short", "8 bytes", "only 5"]),
        (idx_bytes(8, [2, 3], b"abcdefg"), ["6 bytes", "more follow"]),
        (idx_bytes(8, [0, 28, 28], b""), ["no data", "0×28×28"]),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_malformed_idx_is_refused_with_reason(tmp_path, data, words, pack):
    path = tmp_path / "images"
    path.write_bytes(pack(data))
    refused(read_idx, path, *words)


def test_damaged_gzip_is_refused(tmp_path):
    path = tmp_path / "images.gz"
    write_idx(path, np.arange(200, dtype=np.uint8))
    good = path.read_bytes()
    broken_crc = good[:-8] + bytes([good[-8] ^ 1]) + good[-7:]
    bad_block = good[:10] + b"\xff" * 20
    for damaged in (
        good[:-20],
        good[:3],
        broken_crc,
        bad_block,
        good + b"junk",
        b"\x1f\x8bhello",
    ):
        path.write_bytes(damaged)
        refused(read_idx, path, "gzip")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("sizes", [[2**32 - 1] * 6, [2**29], [2**32 - 1, 28, 28]])
def test_header_that_promises_terabytes_sets_no_memory_aside(tmp_path, sizes, pack):
    path = tmp_path / "images"
    path.write_bytes(pack(idx_bytes(8, sizes, b"\1\2\3")))
    tracemalloc.start()
    try:
        refused(read_idx, path)
        assert tracemalloc.get_traced_memory()[1] < 2**25
    finally:
        tracemalloc.stop()


def test_gzip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(_files, "MAX_UNPACKED", 1000)
    write_idx(tmp_path / "images", np.zeros(1001, np.uint8))
    write_idx(tmp_path / "images.gz", np.zeros(1001, np.uint8))
    assert len(read_idx(tmp_path / "images")) == 1001
    refused(read_idx, tmp_path / "images.gz", "more than 1,000 bytes")
    write_csv(tmp_path / "x.csv.gz", np.zeros((100, 100), int), np.zeros(100, int))
    refused(read_csv, tmp_path / "x.csv.gz", "more than 1,000 bytes")


@pytest.mark.parametrize("read", [read_idx, read_csv, read_npz])
def test_missing_file_is_a_file_not_found_error(tmp_path, read):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read(tmp_path / "nowhere")


# --- CSV ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
def test_csv_has_the_label_first_then_one_column_a_pixel(tmp_path, name):
    write_csv(str(tmp_path / name), IMAGES, LABELS)
    text = (tmp_path / name).read_bytes()
    text = gzip.decompress(text) if name.endswith("gz") else text
    names = b"label,1x1,1x2,1x3,1x4,2x1,2x2,2x3,2x4,3x1,3x2,3x3,3x4\n"
    first = b"7,0,10,20,30,40,50,60,70,80,90,100,110\n"
    last = b"3,120,130,140,150,160,170,180,190,200,210,220,230\n"
    assert text == names + first + last
    X, y = read_csv(str(tmp_path / name))
    np.testing.assert_array_equal(X, IMAGES.reshape(2, 12))
    np.testing.assert_array_equal(y, LABELS)
    assert (X.dtype, y.dtype) == (np.uint8, np.int64)
    assert X.flags.c_contiguous
    assert X.flags.writeable


def test_csv_of_every_value_and_a_large_label_round_trips(tmp_path):
    X = np.arange(256, dtype=np.int16).reshape(1, 256)
    write_csv(tmp_path / "x.csv", X, [2**62])
    found, y = read_csv(tmp_path / "x.csv")
    np.testing.assert_array_equal(found, X)
    assert y.tolist() == [2**62]


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3\n4,5,6\n",
        "1,2,3\n4,5,6",
        "1,2,3\r\n4,5,6\r\n",
        "\n1,2,3\n\n4,5,6\n\n \n",
        "1, 2,\t3\n4, 5 , 6\n",
        "\ufeff1,2,3\n4,5,6\n",
        "label,1x1,1x2\n1,2,3\n4,5,6\n",
        '\ufeff"Label","pixel0","pixel1"\r\n1,2,3\r\n4,5,6\r\n',
        "001,002,003\n4,5,6\n",
    ],
)
def test_csv_variants_that_programs_write_are_read(tmp_path, text):
    (tmp_path / "x.csv").write_text(text, encoding="utf-8", newline="")
    X, y = read_csv(tmp_path / "x.csv")
    assert X.tolist() == [[2, 3], [5, 6]]
    assert y.tolist() == [1, 4]


@pytest.mark.parametrize("block", [8, 13, 1 << 21])
def test_csv_read_in_blocks_gives_the_same_rows_and_row_numbers(
    tmp_path, monkeypatch, block
):
    monkeypatch.setattr(_text_tables, "_BLOCK", block)
    lines = [f"{n % 7},{n}\n" for n in range(100)]
    (tmp_path / "x.csv").write_text("".join(lines))
    X, y = read_csv(tmp_path / "x.csv")
    assert X.ravel().tolist() == list(range(100))
    assert y.tolist() == [n % 7 for n in range(100)]
    lines[57] = "1,x\n"
    (tmp_path / "x.csv").write_text("".join(lines))
    refused(read_csv, tmp_path / "x.csv", "row 58, column 2")


def test_csv_line_without_end_is_refused_before_it_fills_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(_text_lines, "MAX_LINE", 1 << 17)
    (tmp_path / "x.csv").write_text("1,2\n" + "1" * (1 << 22))
    refused(read_csv, tmp_path / "x.csv", "row 2", "longer than")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["file is empty"]),
        ("\n \n", ["no rows"]),
        ("label,pixel\n", ["no rows"]),
        ("5\n6\n", ["row 1", "one column"]),
        ("5,1,2\n6,1\n", ["row 2", "2 columns", "expected 3"]),
        ("5,1,2\n6,1,2,3\n", ["row 2", "4 columns", "expected 3"]),
        ("5,1,2\n\n6,1,two\n", ["row 3, column 3", "'two'", "pixel"]),
        ("5,1,2\n6,nan,2\n", ["row 2, column 2", "'nan'"]),
        ("5,1,2\n6,,2\n", ["row 2, column 2", "''"]),
        ("5,1,2\n6,256,2\n", ["row 2, column 2", "'256'", "0 to 255"]),
        ("5,1,2\n6,-1,2\n", ["row 2, column 2", "'-1'"]),
        ("5,1,2\n6,1.5,2\n", ["row 2, column 2", "'1.5'", "whole number"]),
        ("5,1,2\n6,1e3,2\n", ["row 2, column 2", "'1e3'"]),
        ("5,1,2\n6,1 1,2\n", ["row 2, column 2", "'1 1'"]),
        ("5,1,2\n6,\u0661,2\n", ["row 2, column 2"]),
        ("5,1,2\n6,1,True\n", ["row 2, column 3", "'True'"]),
        ("5,1,2\nA,1,2\n", ["row 2, column 1", "'A'", "label", "encode"]),
        ("5,1,2\n-1,1,2\n", ["row 2, column 1", "'-1'", "label"]),
        ("5,1,2\n9223372036854775808,1,2\n", ["row 2, column 1", "label"]),
        ("5,1,2\n" + "9" * 5000 + ",1,2\n", ["row 2, column 1", "label"]),
        ("5,1,2\n6,1,2#\n", ["row 2, column 3", "'2#'"]),
        ('5,1,2\n6,"1,2\n', ["row 2", "2 columns"]),
        ("name,1x1\n5,1\n", ["column 1", "'name'", "'1x1'", "label="]),
        ("nan,1\n5,1\n", ["row 1, column 1", "'nan'", "expected a label"]),
        ("5:1:2\n6:1:2\n", ["row 1", "one column", "commas"]),
        ("5,1,2\n6;1;2\n", ["row 2", "1 column,", "expected 3"]),
        ("5,1\r6,x\n", ["row 2, column 2", "'x'"]),
        ("5,1\n\0,1\n", ["row 2", "value 0"]),
    ],
)
def test_malformed_csv_is_refused_with_its_row(tmp_path, text, words):
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8", newline="")
    refused(read_csv, path, *words)


def test_rows_of_pixels_alone_are_told_by_their_width(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("label,a,b\n7,1,2\n")
    assert _csv.read_unlabelled_csv(path, 2).tolist() == [[1, 2]]
    path.write_text("7,1,2\n")
    assert _csv.read_unlabelled_csv(path, 3).tolist() == [[7, 1, 2]]
    path.write_text("7,1,2\n0.5,1,2\n")
    with pytest.raises(DataFormatError, match=r"row 2, column 1.*'0.5'.*a whole num"):
        _csv.read_unlabelled_csv(path, 2)
    with pytest.raises(DataFormatError, match=r"row 2, column 1.*'0.5'.*a pixel"):
        _csv.read_unlabelled_csv(path, 3)
    path.write_text("7,1,2\n256,1,2\n7,1\n")
    with pytest.raises(DataFormatError, match=r"row 2, column 1.*'256'.*a pixel"):
        _csv.read_unlabelled_csv(path, 3)


def test_binary_file_read_as_csv_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(bytes(range(256)) * 10)
    refused(read_csv, path)


@pytest.mark.parametrize(
    ("X", "y", "match"),
    [
        (IMAGES, [1], "1 labels for 2 images"),
        (IMAGES + 0.5, LABELS, "X: pixels must be whole numbers"),
        (IMAGES.astype(int) - 1, LABELS, "X: .* from -1 to"),
        (IMAGES.astype(int) + 100, LABELS, "X: .* to 330"),
        (IMAGES, [1, -1], "y: labels .* -1"),
        (IMAGES, ["a", "b"], "y: labels .*LabelEncoder"),
        (IMAGES, [1.0, 2.0], "y: labels"),
        (IMAGES, [[1], [2]], "y: .*2 dimensions"),
        (IMAGES[:0], [], "X: no pixels"),
        (np.array([1, 2]), LABELS, "X must have one row per image"),
    ],
)
def test_write_csv_refuses_bad_arguments_and_writes_nothing(tmp_path, X, y, match):
    with pytest.raises(ValueError, match=match):
        write_csv(tmp_path / "x.csv", X, y)
    assert list(tmp_path.iterdir()) == []


# --- npz ------------------------------------------------------------------------


def test_npz_has_the_layout_and_types_of_keras(tmp_path):
    write_npz(str(tmp_path / "m.npz"), IMAGES, LABELS, IMAGES[:1] + 1, [9])
    with np.load(tmp_path / "m.npz", allow_pickle=False) as archive:
        expected = dict(archive)
    assert list(expected) == ["x_train", "y_train", "x_test", "y_test"]
    assert {array.dtype.name for array in expected.values()} == {"uint8"}
    found = read_npz(str(tmp_path / "m.npz"))
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
    np.testing.assert_array_equal(found["x_train"], IMAGES)
    np.testing.assert_array_equal(found["y_test"], [9])


def test_write_npz_makes_pictures_of_flat_square_images(tmp_path):
    write_npz(tmp_path / "m.npz", np.arange(18).reshape(2, 9), [300, 1])
    found = read_npz(tmp_path / "m.npz")
    assert set(found) == {"x_train", "y_train"}
    assert found["x_train"].shape == (2, 3, 3)
    assert found["y_train"].tolist() == [300, 1]


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((IMAGES.reshape(2, 12), LABELS), "X_train: 12 pixels are not a square"),
        ((IMAGES[..., None], LABELS), "X_train must have the shape"),
        ((IMAGES, LABELS, IMAGES), "both X_test and y_test"),
        ((IMAGES, LABELS, IMAGES, [1]), "y_test: 1 labels for 2 images"),
        ((IMAGES, ["a", "b"]), "y_train: labels"),
    ],
)
def test_write_npz_refuses_bad_arguments_and_writes_nothing(tmp_path, arguments, match):
    with pytest.raises(ValueError, match=match):
        write_npz(tmp_path / "m.npz", *arguments)
    assert list(tmp_path.iterdir()) == []


def test_npz_with_pickled_objects_is_refused_and_runs_nothing(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    path = tmp_path / "m.npz"
    write_zip(path, x_train=npy_bytes(np.array([Trap()], dtype=object)))
    refused(read_npz, path, "array 'x_train'", "pickled objects")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (npy_bytes(np.array(["a"])), ["<U1", "expected numbers"]),
        (npy_bytes(IMAGES)[:-1], ["promises 2×3×4", "24 bytes", "found 23"]),
        (npy_bytes(IMAGES) + b"!", ["24 bytes", "found 25"]),
        (b"hello", ["damaged"]),
        (b"\x93NUMPY\x09\x00" + npy_bytes(IMAGES)[8:], ["version (9, 0)"]),
        (
            npy_bytes(
                header={"descr": "|u1", "fortran_order": False, "shape": (10**15,)}
            ),
            ["1,000,000,000,000,000 bytes", "found 0 bytes"],
        ),
        (
            npy_bytes(
                header={"descr": "|u1", "fortran_order": False, "shape": (-1, -2)},
                payload=b"ab",
            ),
            ["negative"],
        ),
    ],
)
def test_npz_with_a_bad_array_is_refused_with_its_name(tmp_path, member, words):
    path = tmp_path / "m.npz"
    write_zip(path, y_test=npy_bytes(LABELS), x_test=member)
    message = refused(read_npz, path, *words)
    assert "x_test" in message or "damaged" in message


def test_file_that_is_no_npz_is_refused(tmp_path):
    path = tmp_path / "m.npz"
    write_npz(path, IMAGES, LABELS)
    good = path.read_bytes()
    for data in (
        b"",
        b"PK\x03\x04",
        b"no zip",
        b"!" + good,
        npy_bytes(IMAGES),
        good[:-30],
    ):
        path.write_bytes(data)
        refused(read_npz, path, "not a numpy archive")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "x_train")
    refused(read_npz, path, "no arrays")


def test_npz_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "m.npz"
    monkeypatch.setattr(_files, "MAX_UNPACKED", 5000)
    write_zip(path, x=npy_bytes(np.zeros(20_000, np.uint8)))
    refused(read_npz, path, "more than 5,000 bytes")
    write_zip(path, zipfile.ZIP_STORED, x=npy_bytes(np.zeros(20_000, np.uint8)))
    assert len(read_npz(path)["x"]) == 20_000


def test_npz_packed_by_a_method_that_cannot_be_bounded_is_refused(tmp_path):
    path = tmp_path / "m.npz"
    write_zip(path, zipfile.ZIP_BZIP2, x=npy_bytes(IMAGES))
    refused(read_npz, path, "compressed in a way")


# --- all writers ----------------------------------------------------------------

WRITERS = [
    lambda path: write_idx(path, IMAGES),
    lambda path: write_csv(path, IMAGES, LABELS),
    lambda path: write_npz(path, IMAGES, LABELS),
]


@pytest.mark.parametrize("write", WRITERS)
def test_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path, monkeypatch, write
):
    path = tmp_path / "data.gz"
    path.write_bytes(b"old")

    def fail(source, target):
        assert os.path.getsize(source) > 0
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        write(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("write", WRITERS)
def test_writing_the_same_data_twice_gives_the_same_bytes(tmp_path, write):
    write(tmp_path / "a.gz")
    write(tmp_path / "b.gz")
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


@pytest.mark.parametrize("write", WRITERS)
def test_writing_into_no_folder_or_over_a_folder_is_said(tmp_path, write):
    missing = tmp_path / "none" / "x"
    with pytest.raises(FileNotFoundError, match=re.escape(str(missing.parent))):
        write(missing)
    with pytest.raises(IsADirectoryError, match="is a folder"):
        write(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")
def test_written_file_has_ordinary_permissions_and_links_stay(tmp_path):
    (tmp_path / "ordinary").write_bytes(b"")
    (tmp_path / "link").symlink_to("target")
    write_idx(tmp_path / "link", LABELS)
    assert (tmp_path / "link").is_symlink()
    mode = stat.S_IMODE((tmp_path / "target").stat().st_mode)
    assert mode == stat.S_IMODE((tmp_path / "ordinary").stat().st_mode)


def test_writers_change_no_array_of_the_caller(tmp_path):
    X, y = IMAGES.astype(np.int64), LABELS.copy()
    write_idx(tmp_path / "x", X)
    write_csv(tmp_path / "x", X, y)
    write_npz(tmp_path / "x", X, y)
    np.testing.assert_array_equal(X, IMAGES)
    np.testing.assert_array_equal(y, LABELS)
    assert X.dtype == np.int64
