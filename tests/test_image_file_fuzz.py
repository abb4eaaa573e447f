"""Damaged pictures and arrays given to ``predict``: an image, or one line of words."""

import gzip
import io
import random
import struct
import tracemalloc
import warnings
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from skmnist.cli._errors import BadInput
from skmnist.cli._image_files import read_images

MODEL = SimpleNamespace(
    dataset="mnist",
    pixel_range=(0, 255),
    finds_digits=False,
    n_pixels=48,
    image_shape=(6, 8),
    size="6×8 (height × width, 48 pixels)",
)
PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8), dtype=np.uint8)


def picture(kind, mode="L", **options):
    stream = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def array(values, **options):
    stream = io.BytesIO()
    np.save(stream, values, **options)
    return stream.getvalue()


def npy(header, payload=b"", version=1):
    """Write an array whose header is any text."""
    text = header.encode() + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + payload


def fields(descr="'|u1'", order="False", shape="(2, 48)"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"


def chunk(kind, data):
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum


def png_with(*chunks):
    """Write a picture with more chunks after its header."""
    good = picture("PNG")
    return good[:33] + b"".join(chunks) + good[33:]


def read(path, data):
    """Read a file; return the rows, or the one line that refuses it."""
    path.write_bytes(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, about damaged metadata
            (file,) = read_images([path], MODEL)
    except BadInput as error:
        message = error.format_message()
        assert str(path) in message
        assert "\n" not in message
        return message
    assert file.X.shape[1:] == (48,)
    return file.X


GOOD = {
    "png": picture("PNG"),
    "rgba.png": picture("PNG", "RGBA"),
    "palette.png": picture("PNG", "P"),
    "text.png": png_with(chunk(b"zTXt", b"k\0\0" + zlib.compress(b"words" * 9))),
    "bmp": picture("BMP"),
    "gif": picture("GIF"),
    "jpg": picture("JPEG"),
    "rgb.jpg": picture("JPEG", "RGB"),
    "tif": picture("TIFF"),
    "lzw.tif": picture("TIFF", compression="tiff_lzw"),
    "pgm": picture("PPM"),
    "npy": array(PIXELS),
    "float.npy": array(np.asfortranarray(PIXELS.reshape(1, 48) / 255)),
    "idx": b"\0\0\x08\x03" + struct.pack(">III", 1, 6, 8) + PIXELS.tobytes(),
}
GOOD["idx.gz"] = gzip.compress(GOOD["idx"], mtime=0)


def damaged(data, rng):
    """Change a few bytes in one of the ways that files get damaged."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        if not data:
            break
        at, length = rng.randrange(len(data)), rng.randint(1, 8)
        match rng.randrange(6):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data[at : at + length] = rng.randbytes(length)
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = data[at : at + length]
            case 4:
                data[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0"])
            case 5:
                del data[at + 1 :]
    return bytes(data)


@pytest.mark.parametrize("name", GOOD)
def test_undamaged_files_are_read(tmp_path, name):
    rows = read(tmp_path / f"x.{name}", GOOD[name])
    assert not isinstance(rows, str), rows
    if not name.endswith("jpg"):
        expected = PIXELS / 255 if name == "float.npy" else PIXELS
        np.testing.assert_array_equal(rows[0], expected.ravel())


@pytest.mark.parametrize("name", GOOD)
def test_damaged_files_are_read_or_refused_on_one_line(tmp_path, name):
    rng = random.Random(name)
    refused = 0
    for _ in range(60):
        answer = read(tmp_path / f"x.{name}", damaged(GOOD[name], rng))
        refused += isinstance(answer, str)
    assert refused


HEADERS = {
    "open bracket": (npy("{'descr': '|u1', 'shape': (2, 48"), "damaged"),
    "open quote": (npy("{'descr': '|u1"), "damaged"),
    "many brackets": (npy("(" * 5000), "damaged"),
    "no dictionary": (npy("[1, 2]"), "damaged"),
    "no text": (npy(fields()).replace(b"descr", b"\xff\0\xfe\r\n"), "damaged"),
    "long header": (npy(fields() + " " * 60_000), "damaged"),
    "version 9": (npy(fields(), bytes(96), version=9), "version (9, 0)"),
    "wrong key": (npy("{'descr': '|u1', 'shape': (2, 48)}"), "damaged"),
    "wrong type": (npy(fields(descr="'|z9'")), "damaged"),
    "object": (npy(fields(descr="'|O'"), b"x" * 96), "pickled objects"),
    "nested object": (npy(fields(descr="[('a', '|O')]")), "pickled objects"),
    "structured": (npy(fields(descr="[('a', '|u1')]"), bytes(96)), "expected numbers"),
    "subarray": (npy(fields(descr="('|u1', (2,))"), bytes(192)), "expected numbers"),
    "date": (npy(fields(descr="'<M8[s]'"), bytes(768)), "expected numbers"),
    "complex": (npy(fields(descr="'<c8'"), bytes(768)), "complex64"),
    "negative": (npy(fields(shape="(-2, -48)"), bytes(96)), "negative size"),
    "huge": (npy(fields(shape=f"({2**62}, 48)")), "promises"),
    "huge beyond 64 bits": (npy(fields(shape=f"({2**70},)")), "promises"),
    "empty": (npy(fields(shape="(0, 48)")), "empty array"),
    "empty and huge": (npy(fields(shape=f"(0, {2**62}, {2**62})")), ""),
    "scalar": (npy(fields(shape="()"), b"x"), "a single number"),
    "true as size": (npy(fields(shape="(True, 48)"), bytes(48)), ""),
    "cut short": (npy(fields(), bytes(95)), "found 95 bytes"),
    "more": (npy(fields(), bytes(97)), "found 97 bytes"),
}


@pytest.mark.parametrize(("data", "words"), HEADERS.values(), ids=list(HEADERS))
def test_arrays_with_bad_headers_are_refused_on_one_line(tmp_path, data, words):
    answer = read(tmp_path / "x.npy", data)
    assert isinstance(answer, str)
    assert words in answer


def test_arrays_in_fortran_order_are_read(tmp_path):
    data = npy(fields(order="True", shape="(6, 8)"), PIXELS.tobytes(order="F"))
    np.testing.assert_array_equal(read(tmp_path / "x.npy", data)[0], PIXELS.ravel())


LARGE_TEXT = zlib.compress(bytes(1 << 27), 9)
PICTURES = {
    "large text": (
        "png",
        png_with(chunk(b"zTXt", b"k\0\0" + LARGE_TEXT)),
        "damaged",
    ),
    "large international text": (
        "png",
        png_with(chunk(b"iTXt", b"k\0\1\0\0\0" + LARGE_TEXT)),
        "",
    ),
    "large profile": ("png", png_with(chunk(b"iCCP", b"k\0\0" + LARGE_TEXT)), ""),
    "bomb": ("bmp", GOOD["bmp"][:18] + struct.pack("<ii", 1 << 20, 1 << 20), ""),
    "web page": ("png", b"<!DOCTYPE html><html>", "not a picture but a web page"),
    "array": ("png", array(PIXELS), "not a picture but a NumPy array"),
    "text": ("jpg", b"no picture at all", "not a picture"),
    "JPEG under the name of PNG, cut": ("png", GOOD["jpg"][:300], "x.png"),
}


@pytest.mark.parametrize(
    ("suffix", "data", "words"), PICTURES.values(), ids=list(PICTURES)
)
def test_bad_pictures_are_refused_on_one_line(tmp_path, suffix, data, words):
    answer = read(tmp_path / f"x.{suffix}", data)
    if words:
        assert isinstance(answer, str)
        assert words in answer


def test_pages_and_files_do_not_add_up_in_memory(tmp_path):
    page = np.full((300, 400, 3), 255, np.uint8)
    page[100:200, 190:200] = 0
    path = tmp_path / "x.tif"
    first, *others = [Image.fromarray(page)] * 3
    first.save(path)
    read_images([path], MODEL)  # loads what it needs
    peaks = []
    for n_pages, n_files in (1, 1), (3, 2):
        first.save(path, save_all=True, append_images=others[: n_pages - 1])
        tracemalloc.start()
        files = read_images([path] * n_files, MODEL)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert [len(file.pages) for file in files] == [n_pages] * n_files
    assert peaks[1] - peaks[0] < page.nbytes / 2


@pytest.mark.parametrize("pixel_range", [(0, 1), (-1, 1), (0, 16), (0, 255)])
@pytest.mark.parametrize("invert", [False, True], ids=["", "inverted"])
def test_pictures_get_the_range_of_the_model_whatever_their_size(
    tmp_path, pixel_range, invert
):
    """A picture of the size that the model takes, and one with a digit in it."""
    model = SimpleNamespace(**{**vars(MODEL), "pixel_range": pixel_range})
    for shape in (6, 8), (60, 80):
        picture = np.zeros(shape, np.uint8)
        picture[shape[0] // 6 : -shape[0] // 6, shape[1] // 2 :][:, : shape[1] // 8] = (
            255
        )
        picture = 255 - picture if invert else picture
        Image.fromarray(picture).save(tmp_path / "x.png")
        (file,) = read_images([tmp_path / "x.png"], model, invert=invert)
        assert len(file.pages) == (shape != (6, 8))
        assert (file.X.min(), file.X.max()) == pixel_range
        assert file.X.mean() < np.mean(pixel_range)


@pytest.mark.parametrize(
    ("pixels", "inverted"),
    [
        (np.uint8([0, 200]), [255, 55]),
        (np.uint16([0, 65535]), [255, -65280]),
        (np.int8([-100, 100]), [355, 155]),
        (np.float16([0, 200]), [255, 55]),
        (np.array([False, True]), [True, False]),
    ],
    ids=lambda value: str(getattr(value, "dtype", "")),
)
def test_no_type_of_pixels_wraps_when_it_is_inverted(tmp_path, pixels, inverted):
    np.save(tmp_path / "x.npy", np.tile(pixels, (1, 24)))
    (file,) = read_images([tmp_path / "x.npy"], MODEL, invert=True)
    np.testing.assert_array_equal(file.X[0, :2], inverted)


def test_a_picture_is_known_by_its_content(tmp_path):
    rows = read(tmp_path / "scan", GOOD["gif"])
    np.testing.assert_array_equal(rows[0], PIXELS.ravel())


@pytest.mark.parametrize(("height", "width"), [(8, 6), (6, 9), (28, 20)])
def test_sizes_of_pictures_say_which_number_is_the_height(tmp_path, height, width):
    path = tmp_path / "x.png"
    Image.new("RGB", (width, height)).save(path)
    model = SimpleNamespace(
        n_pixels=144, image_shape=(6, 8, 3), size="6×8×3 (height × width × channels)"
    )
    with pytest.raises(BadInput) as raised:
        read_images([path], model)
    answer = raised.value.format_message()
    assert f"is of {height}×{width} pixels (height × width)" in answer
    assert "takes images of 6×8×3 (height × width × channels)" in answer
