"""Pictures read as a viewer shows them, and files that are refused."""

import io
import os
import random
import struct
import subprocess
import sys
import tempfile
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from skmnist import DigitExtractor
from skmnist.datasets import DataFormatError, _pictures, read_picture
from skmnist.datasets._pictures import picture_pages

# An L in the corner, different from all its turns and reflections.
SHOWN = np.full((40, 60), 255, dtype=np.uint8)
SHOWN[5:35, 5:9] = 0
SHOWN[31:35, 5:25] = 0

FORMATS = {
    "png": ("PNG", "L", {}),
    "palette.png": ("PNG", "P", {}),
    "bits.png": ("PNG", "1", {}),
    "rgba.png": ("PNG", "RGBA", {}),
    "la.png": ("PNG", "LA", {}),
    "jpg": ("JPEG", "L", {}),
    "progressive.jpg": ("JPEG", "RGB", {"progressive": True}),
    "cmyk.jpg": ("JPEG", "CMYK", {}),
    "webp": ("WEBP", "RGB", {}),
    "lossless.webp": ("WEBP", "RGBA", {"lossless": True}),
    "gif": ("GIF", "P", {}),
    "tif": ("TIFF", "L", {}),
    "lzw.tif": ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    "fax.tif": ("TIFF", "1", {"compression": "group4"}),
    "bmp": ("BMP", "RGB", {}),
    "pgm": ("PPM", "L", {}),
    "ico": ("ICO", "RGB", {"sizes": [(60, 40)]}),
    "pcx": ("PCX", "L", {}),
    "sgi": ("SGI", "L", {}),
}


def stored(pixels, kind, mode="L", **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def write(path, data):
    path.write_bytes(data)
    return path


def grey(picture):
    return np.asarray(Image.fromarray(picture).convert("L")).astype(int)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read_by_its_content(tmp_path, name):
    kind, mode, options = FORMATS[name]
    path = write(tmp_path / "picture", stored(SHOWN, kind, mode, **options))
    picture = read_picture(path)
    assert picture.dtype == np.uint8
    assert np.abs(grey(picture) - SHOWN).mean() < 3


TURNED = {  # how the stored pixels of each orientation come from what is shown
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: np.rot90(a),
    7: lambda a: a[::-1, ::-1].T,
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", TURNED)
def test_photos_are_turned_as_their_exif_data_say(tmp_path, kind, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    pixels = np.ascontiguousarray(TURNED[orientation](SHOWN))
    path = write(tmp_path / "photo", stored(pixels, kind, "RGB", exif=exif))
    picture = grey(read_picture(path))
    assert picture.shape == SHOWN.shape
    assert np.abs(picture - SHOWN).mean() < 6


@pytest.mark.parametrize(("stroke", "sheet"), [(0, 255), (255, 0), (90, 255)])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_strokes_on_a_transparent_sheet_are_seen(tmp_path, stroke, sheet, mode):
    opacity = Image.fromarray(255 - SHOWN)
    picture = Image.merge("LA", [Image.new("L", opacity.size, stroke), opacity])
    if mode == "P":  # one colour of the palette is transparent
        picture = Image.fromarray((SHOWN < 128).astype(np.uint8), mode="P")
        picture.putpalette([9, 9, 9, stroke, stroke, stroke])
        picture.save(tmp_path / "sheet.png", transparency=0)
    else:
        picture.convert(mode).save(tmp_path / "sheet.png")
    read = grey(read_picture(tmp_path / "sheet.png"))
    np.testing.assert_array_equal(read, np.where(SHOWN < 128, stroke, sheet))


@pytest.mark.parametrize(
    ("suffix", "pixels"),
    [
        ("png", SHOWN.astype(np.uint16) * 257),
        ("tif", SHOWN.astype(np.uint16) * 257),
        ("tif", SHOWN.astype(np.float32) / 255),
        ("tif", SHOWN.astype(np.int32) * 257),
    ],
    ids=["16 bits png", "16 bits tif", "fractions", "32 bits"],
)
def test_more_than_8_bits_are_read(tmp_path, suffix, pixels):
    path = tmp_path / f"scan.{suffix}"
    Image.fromarray(pixels).save(path)
    np.testing.assert_array_equal(read_picture(path), SHOWN)


@pytest.mark.parametrize("suffix", ["tif", "gif", "webp", "png"])
def test_each_page_or_frame_is_read(tmp_path, suffix):
    pages = [Image.fromarray(np.full((8, 9), 60 * n, np.uint8)) for n in range(4)]
    path = tmp_path / f"pages.{suffix}"
    pages[0].save(path, save_all=True, append_images=pages[1:], lossless=True)
    means = [read_picture(path, page=n).mean() for n in range(4)]
    np.testing.assert_allclose(means, [0, 60, 120, 180], atol=2)
    with pytest.raises(DataFormatError, match="has 4 pages; got page=4"):
        read_picture(path, page=4)


def test_too_many_pages_are_refused(tmp_path):
    pages = [Image.new("L", (4, 4), n) for n in range(60)]
    path = tmp_path / "pages.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:])
    with pytest.raises(DataFormatError, match="more than 50 pages"):
        list(picture_pages(path))
    assert (read_picture(path, page=55) == 55).all()


@pytest.mark.parametrize("suffix", ["tif", "gif", "webp", "png"])
def test_only_the_page_that_is_asked_for_is_unpacked(tmp_path, monkeypatch, suffix):
    pages = [Image.fromarray(np.full((8, 9), 60 * n, np.uint8)) for n in range(4)]
    path = tmp_path / f"pages.{suffix}"
    pages[0].save(path, save_all=True, append_images=pages[1:], lossless=True)
    made, page_of = [], _pictures._page
    monkeypatch.setattr(
        _pictures, "_page", lambda *args: made.append(1) or page_of(*args)
    )
    assert read_picture(path, page=2).mean() == pytest.approx(120, abs=2)
    assert len(made) == 1


@pytest.mark.parametrize("page", [-1, "0", True, 0.0, None], ids=repr)
def test_what_is_no_number_of_a_page_is_refused(tmp_path, page):
    path = write(tmp_path / "x.png", stored(SHOWN, "PNG"))
    with pytest.raises(ValueError, match=f"page must be an int of.*; got {page!r}"):
        read_picture(path, page=page)


def test_the_other_images_of_a_photo_are_no_pages(tmp_path):
    photo = Image.fromarray(SHOWN).convert("RGB")
    photo.save(tmp_path / "x.mpo", save_all=True, append_images=[photo])
    assert len(list(picture_pages(tmp_path / "x.mpo"))) == 1
    with pytest.raises(DataFormatError, match="has 1 page; got page=1"):
        read_picture(tmp_path / "x.mpo", page=1)


@pytest.mark.parametrize("path", [3.5, None, ["x.png"]], ids=repr)
def test_what_is_no_path_is_not_called_damaged(path):
    with pytest.raises(TypeError, match=r"expected str, bytes or os\.PathLike"):
        read_picture(path)


def test_a_picture_can_be_changed_in_place(tmp_path):
    picture = read_picture(write(tmp_path / "x.png", stored(SHOWN, "PNG")))
    picture[:] = 0
    assert not picture.any()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_large_pictures_are_reduced_by_a_factor_that_is_told(tmp_path, kind):
    path = write(
        tmp_path / "large", stored(np.kron(SHOWN, np.ones((50, 50), "u1")), kind)
    )
    ((picture, factor),) = picture_pages(path, longest=500)
    assert 500 <= max(picture.size) < 1500
    assert picture.size[0] * factor == pytest.approx(3000, rel=0.01)


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)
REFUSED = {
    "HEIC": (HEIC, "HEIC picture.*save it as JPEG or PNG"),
    "PDF": (b"%PDF-1.7\n" + bytes(99), "a PDF document, which cannot be read; save it"),
    "vector graphic": (b"<?xml version='1.0'?><svg></svg>", "an SVG picture"),
    "drawing": (b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "an SVG picture"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "a PostScript picture, which cannot"),
    "JPEG XL": (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture, which cannot"),
    "JPEG XL codestream": (
        b"\xff\x0a\xfa\x1f",
        "a JPEG XL picture, which cannot be read; save it as JPEG or PNG",
    ),
    "text": (b"3 1 4\n", "not a picture but text"),
    "nothing": (b"", "not a picture that can be read"),
    "cut short": (stored(SHOWN, "PNG")[:70], "damaged"),
    "film": (b"\0\0\0\x18ftypisom" + bytes(99), "film"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_named(tmp_path, name):
    data, message = REFUSED[name]
    path = write(tmp_path / "photo.jpg", data)
    with pytest.raises(DataFormatError, match=message) as raised:
        read_picture(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("rle", [None, "tga_rle"], ids=["plain", "packed"])
def test_tga_is_named_by_its_suffix(tmp_path, rle):
    path = write(tmp_path / "x.TGA", stored(SHOWN, "TGA", compression=rle))
    with pytest.raises(DataFormatError, match=r"TGA picture, which .* JPEG or PNG"):
        read_picture(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        read_picture(tmp_path / "none.png")


def bomb(kind):
    """Return a small file that promises a huge picture."""
    if kind == "png":

        def chunk(name, data):
            checksum = struct.pack(">I", zlib.crc32(name + data))
            return struct.pack(">I", len(data)) + name + data + checksum

        header = struct.pack(">IIBBBBB", 30_000, 5_000, 8, 2, 0, 0, 0)
        data = zlib.compress(bytes(30_000_000), 9)
        start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        return start + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    if kind == "bmp":
        data = stored(SHOWN, "BMP")
        return data[:18] + struct.pack("<ii", 1 << 20, 1 << 20) + data[26:]
    data = stored(SHOWN, "GIF")
    return data[:6] + struct.pack("<HH", 65_535, 65_535) + data[10:]


@pytest.mark.parametrize("kind", ["png", "bmp", "gif"])
def test_bombs_are_refused(tmp_path, kind):
    path = write(tmp_path / f"bomb.{kind}", bomb(kind))
    with pytest.raises(DataFormatError, match=r"large|damaged"):
        read_picture(path)


# As large as is allowed, for its kind: height, width, mode, options.
LARGE = {
    "PNG": (4600, 4700, "RGBA", {"compress_level": 1}),
    "TIFF": (3400, 3500, "F", {}),
    "WEBP": (2600, 3800, "RGB", {"method": 0}),
    "JPEG2000": (2600, 2700, "RGBA", {}),
    "JPEG": (8000, 8700, "RGB", {}),
    "JPEG, progressive": (5000, 5900, "RGB", {"progressive": True, "subsampling": 0}),
    "JPEG, narrow": (60_000, 800, "RGB", {}),
}
FIND_DIGITS = """
import resource, sys
import numpy as np
from skmnist import DigitExtractor
from skmnist.datasets import DataFormatError
from skmnist.datasets._pictures import picture_pages

def find(path):
    try:
        for picture, _ in picture_pages(path, longest=1600):
            DigitExtractor().extract(np.asarray(picture))
    except DataFormatError:
        return "refused"
    return "read"

small, *paths = sys.argv[1:]
find(small)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
for path in paths:
    print(find(path), peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="units of ru_maxrss")
def test_large_pictures_and_bombs_take_bounded_memory(tmp_path):
    """In a process of its own, as Python does not see what decoders take."""
    paths = [write(tmp_path / "small.png", stored(SHOWN, "PNG"))]
    paths += [write(tmp_path / f"bomb.{kind}", bomb(kind)) for kind in ("png", "gif")]
    for kind, (height, width, mode, options) in LARGE.items():
        picture = Image.new("L", (width, height), 255)
        picture.paste(0, (99, 99, 499, 499))
        paths.append(tmp_path / kind)
        picture.convert(mode).save(paths[-1], kind.split(",")[0], **options)
    command = [sys.executable, "-c", FIND_DIGITS, *map(str, paths)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    outcomes, megabytes = zip(*map(str.split, run.stdout.splitlines()), strict=True)
    assert outcomes == ("refused", "refused", *["read"] * len(LARGE))
    assert max(map(int, megabytes)) < 200


def test_broken_pictures_are_read_or_refused():
    rng = random.Random(0)
    extractor = DigitExtractor()
    good = [stored(SHOWN, kind, mode, **kw) for kind, mode, kw in FORMATS.values()]
    outcomes = {"read": 0, "refused": 0}
    for number in range(500):
        data = bytearray(good[number % len(good)])
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        if rng.random() < 0.3:
            del data[rng.randrange(len(data)) :]
        outcomes[attempt(extractor, bytes(data))] += 1
    assert min(outcomes.values()) > 20


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="pipes have no paths")
def test_a_pipe_is_not_called_damaged():
    reading, writing = os.pipe()
    try:
        with pytest.raises(DataFormatError, match="is a pipe or a device"):
            read_picture(f"/dev/fd/{reading}")
    finally:
        os.close(reading)
        os.close(writing)


def attempt(extractor, data):
    """Read and search damaged bytes; any error but ours fails the test."""
    with tempfile.NamedTemporaryFile() as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about damaged metadata
        file.write(data)
        file.flush()
        try:
            for picture, _ in picture_pages(file.name, longest=1600):
                extractor.extract(np.asarray(picture))
        except DataFormatError:
            return "refused"
    return "read"
