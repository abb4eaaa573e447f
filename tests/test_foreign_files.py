"""Files that are something else than their name says are called what they are."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from skmnist.datasets import (
    DataFormatError,
    fetch_mnist,
    load_idx,
    read_idx,
    read_npz,
    write_idx,
)

LFS = (
    "version https://git-lfs.github.com/spec/v1\n"
    f"oid sha256:{'4d7a' * 16}\nsize 9912422\n"
).encode()


def picture(kind):
    stream = io.BytesIO()
    Image.new("L", (28, 28)).save(stream, kind)
    return stream.getvalue()


def archive(kind):
    stream = io.BytesIO()
    if kind == "tar":
        with tarfile.open(fileobj=stream, mode="w") as tar:
            tar.addfile(tarfile.TarInfo("train-images"))
    elif kind == "zip":
        with zipfile.ZipFile(stream, "w") as packed:
            packed.writestr("train-images-idx3-ubyte", b"\0\0\x08\x03")
    else:
        np.save(stream, np.zeros((2, 28, 28), np.uint8))
    return stream.getvalue()


FOREIGN = {
    "HTML": (b"\n<!doctype html>\n<html><head><title>Sign in", "a web page"),
    "HTML without doctype": (b"\xef\xbb\xbf<HTML lang=en>", "a web page"),
    "XHTML": (b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC>", "a web page"),
    "XML": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code>", "an XML"),
    "Error": (b"<Error><Code>NoSuchKey</Code></Error>", "an XML document"),
    "answer": (b"404: Not Found", 'the answer "404: Not Found" of a server'),
    "answer with line": (b"403 Forbidden\n", '"403 Forbidden" of a server'),
    "LFS": (LFS, "a Git LFS pointer"),
    "annex": (b"/annex/objects/MD5E-s9912422--f68b3c2d.gz\n", "git-annex pointer"),
    "JSON": (json.dumps({"message": "Not Found"}).encode(), "JSON"),
    "PNG": (picture("PNG"), "a PNG picture"),
    "JPEG": (picture("JPEG"), "a JPEG picture"),
    "tar": (archive("tar"), "a tar archive"),
    "npy": (archive("npy"), "a NumPy array"),
    "pickle": (pickle.dumps([np.zeros(3)]), "a pickle"),
    "bzip2": (bz2.compress(b"\0\0\x08\x01"), "a bzip2 file"),
    "xz": (lzma.compress(b"\0\0\x08\x01"), "an xz file"),
    "PDF": (b"%PDF-1.7\n", "a PDF document"),
    "text": (b"label,pixel0\n5,0\n", "text that begins with 'label,pixel0'"),
}
foreign = pytest.mark.parametrize(
    ("data", "words"), FOREIGN.values(), ids=list(FOREIGN)
)


def message_of(read, path):
    with pytest.raises(DataFormatError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message) < len(str(path)) + 200
    return message


@foreign
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_read_idx_names_what_a_file_is_instead(tmp_path, data, words, pack):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(pack(data))
    message = message_of(read_idx, path)
    assert "not an IDX file but" in message
    assert words in message


@foreign
def test_a_download_under_the_name_of_gzip_is_called_what_it_is(tmp_path, data, words):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(data)
    message = message_of(read_idx, path)
    assert words in message
    # Advice to rename the file would mislead where it is no data at all.
    assert ("take the .gz off" in message) == words.startswith("text")


@foreign
def test_read_npz_names_what_a_file_is_instead(tmp_path, data, words):
    path = tmp_path / "mnist.npz"
    path.write_bytes(data)
    assert words in message_of(read_npz, path)


@pytest.mark.parametrize(
    ("read", "data", "words"),
    [
        (read_idx, archive("zip"), "zip archive"),
        (read_idx, gzip.compress(gzip.compress(b"")), "a gzip file"),
        (read_npz, gzip.compress(b"x"), "a gzip file"),
        (read_npz, struct.pack(">HBBI", 0, 8, 1, 1) + b"a", "an IDX file"),
        (read_npz, b"", "an empty file"),
    ],
    ids=["zip as IDX", "packed twice", "gzip as npz", "IDX as npz", "nothing as npz"],
)
def test_formats_of_the_family_are_told_from_each_other(tmp_path, read, data, words):
    path = tmp_path / "file"
    path.write_bytes(data)
    assert words in message_of(read, path)


@pytest.mark.parametrize("text", ["BZh,GIF", "PAR1,PAR2\n0,1\n", "404,Not Found\n"])
def test_text_is_not_mistaken_for_what_its_first_letters_resemble(tmp_path, text):
    path = tmp_path / "file"
    path.write_text(text)
    assert f"text that begins with {text.splitlines()[0]!r}" in message_of(
        read_idx, path
    )


def test_bytes_of_no_known_kind_are_shown(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(b"\x01\x02\x03\x04\x05")
    assert "01 02 03 04" in message_of(read_idx, path)
    path = path.with_suffix(".gz")
    path.write_bytes(b"\x01\x02\x03\x04\x05")
    assert "01 02 03 04" in message_of(read_idx, path)


def test_little_endian_idx_is_detected(tmp_path):
    path = tmp_path / "labels"
    path.write_bytes(struct.pack("<I", 0x0801) + struct.pack("<I", 3) + b"abc")
    assert "little-endian" in message_of(read_idx, path)
    path.write_bytes(b"\0\0\x08\x02" + struct.pack("<II", 3, 2) + b"abcdef")
    assert "little-endian, 3×2" in message_of(read_idx, path)


@pytest.mark.parametrize("load", [load_idx, lambda path: fetch_mnist(data_home=path)])
def test_a_folder_of_pointers_is_called_what_it_is(tmp_path, load):
    for part in "train", "t10k":
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(LFS)
        (tmp_path / f"{part}-labels-idx1-ubyte.gz").write_bytes(LFS)
    with pytest.raises(DataFormatError, match=r"images-idx3-ubyte.gz: .*Git LFS"):
        load(tmp_path)


def test_float_images_are_refused_with_their_type(tmp_path):
    write_idx(tmp_path / "train-images-idx3-ubyte", np.full((2, 3, 3), 0.5))
    write_idx(tmp_path / "train-labels-idx1-ubyte", [0, 1])
    with pytest.raises(DataFormatError, match=r"whole numbers.*float64"):
        load_idx(tmp_path)
