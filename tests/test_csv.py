"""CSV files as people have them: read right, or refused in words, never read wrong."""

import bz2
import gzip
import io
import tracemalloc
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skmnist.datasets import (
    DataFormatError,
    _csv,
    _files,
    _text_lines,
    _text_tables,
    load_digits,
    read_csv,
    write_csv,
)

# From the middle, where labels neither count upward nor begin with 0.
X, Y = (array[700:820] for array in load_digits(return_X_y=True))
PIXELS = [f"pixel{n}" for n in range(64)]
GRID = [f"{row}x{column}" for row in range(1, 9) for column in range(1, 9)]
INDEX = np.arange(len(X))


def table(
    *columns,
    names=None,
    separator=",",
    end="\n",
    number=str,
    quoted=False,
    encoding="utf-8",
    tail="",
):
    """Write columns side by side as text."""
    blocks = [np.asarray(block, object).reshape(len(X), -1) for block in columns]
    lines = [[number(value) for value in row] for row in np.hstack(blocks).tolist()]
    if names is not None:
        lines.insert(0, list(names))
    if quoted:
        lines = [[f'"{cell}"' for cell in line] for line in lines]
    rows = (separator.join(line) + tail for line in lines)
    return "".join(row + end for row in rows).encode(encoding)


LABELLED = table(Y, X)
NAMED = table(Y, X, names=["label", *PIXELS])
STRING_ORDER = sorted(range(64), key=PIXELS.__getitem__)
GRID_ORDER = sorted(range(64), key=GRID.__getitem__)
SHUFFLED = np.random.default_rng(0).permutation(64)


def names_of(names, order):
    return [names[i] for i in order]


def saved(**settings):
    """Return what numpy.savetxt writes."""
    stream = io.BytesIO()
    np.savetxt(stream, np.column_stack([Y, X]), **settings)
    return stream.getvalue()


def frame(columns=None, **settings):
    """Return what pandas writes of labels and pixels."""
    frame = pd.DataFrame(np.column_stack([Y, X]), columns=columns)
    return frame.to_csv(**settings).encode()


READ_WITH_LABELS = {
    "label in front, no header": LABELLED,
    "label at the end, no header": table(X, Y),
    "header of Kaggle": NAMED,
    "header of this package": table(Y, X, names=["label", *PIXELS]),
    "label at the end by name": table(X, Y, names=[*PIXELS, "class"]),
    "label in the middle by name": table(
        X[:, :30], Y, X[:, 30:], names=[*PIXELS[:30], "Target", *PIXELS[30:]]
    ),
    "name in capitals, with blanks": table(Y, X, names=[" Label ", *PIXELS]),
    "digit as the name": table(Y, X, names=["digit", *PIXELS]),
    "y and x1, x2": table(Y, X, names=["y", *(f"x{n}" for n in range(64))]),
    "label and numbers": table(Y, X, names=["label", *map(str, range(64))]),
    "rows x columns as names": table(Y, X, names=["label", *GRID]),
    "names in the order of strings": table(
        Y, X[:, STRING_ORDER], names=["label", *names_of(PIXELS, STRING_ORDER)]
    ),
    "1x1, 1x10 in the order of strings": table(
        Y, X[:, GRID_ORDER], names=["label", *names_of(GRID, GRID_ORDER)]
    ),
    "columns shuffled": table(
        Y, X[:, SHUFFLED], names=["label", *names_of(PIXELS, SHUFFLED)]
    ),
    "semicolons": table(Y, X, separator=";", names=["label", *PIXELS]),
    "tabs": table(Y, X, separator="\t"),
    "blanks": table(Y, X, separator=" "),
    "runs of blanks": table(Y, X, separator="   ", names=["label", *PIXELS]),
    "comma and blank": table(Y, X, separator=", "),
    "separator named for Excel": b"sep=;\r\n" + table(Y, X, separator=";", end="\r\n"),
    "other separator named for Excel": b"sep=|\n" + table(Y, X, separator="|"),
    "quoted numbers": table(Y, X, quoted=True),
    "quoted names and numbers": table(Y, X, quoted=True, names=["label", *PIXELS]),
    "quoted, comma and blank": table(Y, X, quoted=True, separator=", "),
    "byte order mark": b"\xef\xbb\xbf" + LABELLED,
    "byte order mark before a header": b"\xef\xbb\xbf" + NAMED,
    "UTF-16": table(Y, X, encoding="utf-16", names=["label", *PIXELS]),
    "UTF-16, big end first": b"\xfe\xff" + table(Y, X, encoding="utf-16-be"),
    "UTF-32": table(Y, X, encoding="utf-32"),
    "tabs in UTF-16, as Excel saves": table(
        Y, X, separator="\t", encoding="utf-16", end="\r\n"
    ),
    "CRLF": table(Y, X, end="\r\n", names=["label", *PIXELS]),
    "lone CR": table(Y, X, end="\r", names=["label", *PIXELS]),
    "separator at the end of rows": table(Y, X, tail=","),
    "separator at the end of all rows": table(Y, X, tail=",", names=["label", *PIXELS]),
    "separator at the end, not of the header": table(Y, X, tail=",").replace(
        b"", (",".join(["label", *PIXELS]) + "\n").encode(), 1
    ),
    "blank lines": b"\n" + NAMED.replace(b"\n", b"\n\n", 30) + b"\n \n",
    "no end of the last line": LABELLED[:-1],
    "comments in front": b"# digits\n#\n" + LABELLED,
    "floats": table(Y, X, number=lambda value: f"{value}.0"),
    "floats and whole numbers": table(Y.astype(float), X),
    "whole labels, float pixels": table(Y, X.astype(float)),
    "decimal commas": table(Y, X, number=lambda value: f"{value},0", separator=";"),
    "decimal commas and tabs": table(
        Y, X, number=lambda value: f"{value},00", separator="\t"
    ),
    "scientific notation": table(Y, X, number=lambda value: f"{value:.2e}"),
    "leading zeros": table(Y, X, number=lambda value: f"{value:03}"),
    "plus signs": table(Y, X, number=lambda value: f"+{value}"),
    "savetxt": saved(delimiter=","),
    "savetxt with blanks": saved(),
    "savetxt of whole numbers with a header": saved(
        fmt="%d", delimiter=",", header=",".join(["label", *PIXELS])
    ),
    "savetxt with a header that is a comment": saved(
        fmt="%d", delimiter=",", header="made by a script"
    ),
    "pandas with its index": frame(["label", *PIXELS]),
    "pandas without names": frame(),
    "pandas without header": frame(header=False, index=False),
    "pandas with an index, without header": frame(header=False),
    "pandas, written twice": pd.read_csv(io.BytesIO(frame(["label", *PIXELS])))
    .to_csv()
    .encode(),
    "index named id": table(INDEX + 17, Y, X, names=["id", "label", *PIXELS]),
    "index in words": table(
        [f"img_{n}.png" for n in INDEX], Y, X, names=["ImageId", "label", *PIXELS]
    ),
    "index of a shuffled frame": table(INDEX[::-1], Y, X, names=["", "label", *PIXELS]),
    "index from 1 without header": table(INDEX + 1, Y, X),
    "index in front, label at the end, no header": table(INDEX, X, Y),
    "index at the end by name": table(Y, X, INDEX, names=["label", *PIXELS, "index"]),
    "names of R, V1 the label": table(
        Y, X, names=[f"V{n}" for n in range(1, 66)], quoted=True
    ),
    "gzip": gzip.compress(NAMED),
    "one image": NAMED[: NAMED.index(b"\n", NAMED.index(b"\n") + 1)],
    "labels above 255": table(Y + 1000, X),
    "labels above 255 at the end": table(X, Y + 1000),
    "two labels": table(Y % 2, X),
    "words beyond ASCII in the header of the index": table(
        INDEX, Y, X, names=["", "Label", *(f"größe{n}" for n in range(64))]
    ),
    "header in an old encoding": table(
        Y, X, names=["label", *(f"größe{n}" for n in range(64))], encoding="cp1252"
    ),
}
OFFSETS = {"labels above 255": 1000, "labels above 255 at the end": 1000}


def expected_labels(name):
    if name == "two labels":
        return Y % 2
    return (Y + OFFSETS.get(name, 0))[: 1 if name == "one image" else None]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "images.csv"


@pytest.mark.parametrize("name", READ_WITH_LABELS)
def test_images_and_labels_are_read_right(path, name):
    path.write_bytes(READ_WITH_LABELS[name])
    pixels, labels = read_csv(path)
    y = expected_labels(name)
    np.testing.assert_array_equal(labels, y)
    np.testing.assert_array_equal(pixels, X[: len(y)])
    assert (pixels.dtype, labels.dtype) == (np.uint8, np.int64)
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable


@pytest.mark.parametrize("name", READ_WITH_LABELS)
def test_images_alone_are_the_same_whatever_stands_beside_them(path, name):
    path.write_bytes(READ_WITH_LABELS[name])
    pixels = _csv.read_unlabelled_csv(path, 64)
    np.testing.assert_array_equal(pixels, X[: len(pixels)])


READ_WITHOUT_LABELS = {
    "test.csv of Kaggle": table(X, names=PIXELS),
    "no header": table(X),
    "index and no header": table(INDEX, X),
    "ImageId": table(INDEX + 1, X, names=["ImageId", *PIXELS]),
    "pandas with its index": table(INDEX, X, names=["", *PIXELS]),
    "pandas without names": pd.DataFrame(X).to_csv().encode(),
    "rows x columns as names": table(X, names=GRID),
    "names in the order of strings": table(
        X[:, STRING_ORDER], names=names_of(PIXELS, STRING_ORDER)
    ),
    "names of R": table(X, names=[f"V{n}" for n in range(1, 65)]),
    "floats": table(X.astype(float), names=PIXELS),
    "semicolons": table(X, names=PIXELS, separator=";"),
    "lone CR": table(X, end="\r"),
    "UTF-16": table(X, encoding="utf-16"),
    "one image": table(X)[: table(X).index(b"\n")],
}


@pytest.mark.parametrize("name", READ_WITHOUT_LABELS)
def test_images_without_labels_are_read_right(path, name):
    path.write_bytes(READ_WITHOUT_LABELS[name])
    pixels, labels = read_csv(path)
    assert labels is None
    np.testing.assert_array_equal(pixels, X[: len(pixels)])
    again = _csv.read_unlabelled_csv(path, 64)
    np.testing.assert_array_equal(again, pixels)


def with_cell(value, row=5, column=9):
    cells = np.column_stack([Y, X]).astype(object)
    cells[row, column] = value
    return table(cells)


NOISE = np.random.default_rng(0).integers(0, 9, X.shape)
REFUSED = {
    "empty": (b"", ["file is empty"]),
    "blank lines only": (b"\n\n", ["no rows"]),
    "a header only": (b"label,pixel0\n", ["no rows"]),
    "comments only": (b"# label\n", ["no rows"]),
    "prose": (
        b"These are words.\nAnd these, too, are.\n",
        ["not a table of numbers, but text that begins with 'These are words.'"],
    ),
    "table of words": (b"name,town\nAnn,Rome\nBob,Oslo\n", ["begins with 'name,town'"]),
    "Markdown": (
        b"# Read me\n\nUse one of\nthese 2:\n\n- a 1 or\n- 2\n",
        ["with '# Read me'"],
    ),
    "program": (b"import os\nx = 1, 2, 3\ny = x\nprint(x, 3)\n", ["with 'import os'"]),
    "log": (b"12:00:01,123 INFO start\n12:00:02,456 INFO end\n", ["text that begins"]),
    "settings": ("a: 1\nb: 2\n".encode("utf-16"), ["not a table of numbers, but text"]),
    "web page": (b"<!DOCTYPE html>\n<html></html>", ["web page"]),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\n", ["Git LFS"]),
    "answer of a server": (b"404: Not Found", ["a table of numbers, but the answer"]),
    "bzip2": (bz2.compress(NAMED), ["bzip2", "unpack"]),
    "UTF-16 without a mark": (table(Y, X, encoding="utf-16-le"), ["row 1", "UTF-16"]),
    "zero byte in a number": (with_cell("1\x002"), ["row 6", "value 0"]),
    "one column": (table(Y), ["one column", "separated by"]),
    "unknown separator": (table(Y, X, separator=":"), ["one column", "separated by"]),
    "row too short": (LABELLED + b"1,2\n", ["row 121", "2 columns", "expected 65"]),
    "row too long": (
        LABELLED + LABELLED[:-1] + b",1\n",
        ["row 240", "66 columns", "expected 65"],
    ),
    "first row of a block too long": (
        LABELLED.split(b"\n")[0] + b",1\n" + LABELLED,
        ["row 2", "65 columns", "expected 66"],
    ),
    "header too short": (
        table(Y, X, names=["label", *PIXELS[1:]]),
        ["row 1", "names 64 columns", "has 65"],
    ),
    "header too long": (
        table(Y, X, names=["id", "label", *PIXELS]),
        ["row 1", "names 66 columns", "has 65"],
    ),
    "missing value": (with_cell(""), ["row 6, column 10", "''"]),
    "missing label": (with_cell("", column=0), ["row 6, column 1", "''"]),
    "NaN": (with_cell("NaN"), ["row 6, column 10", "'NaN'"]),
    "infinity": (with_cell("inf"), ["row 6, column 10", "'inf'"]),
    "truth": (with_cell("True"), ["row 6, column 10", "'True'"]),
    "hexadecimal": (with_cell("0x1F"), ["row 6, column 10", "'0x1F'"]),
    "digits of Arabic": (with_cell("\u0661"), ["row 6, column 10"]),
    "two numbers in a cell": (with_cell("1 2"), ["row 6, column 10", "'1 2'"]),
    "thousands": (with_cell('"1,000"'), ["row 6, column 10", "'1,000'"]),
    "number after a quote": (with_cell('"1"2'), ["row"]),
    "open quote": (with_cell('"1'), ["row"]),
    "comment after a row": (LABELLED[:-1] + b"#\n", ["row 120, column 65"]),
    "comment between rows": (LABELLED + b"# end\n", ["row 121", "1 column"]),
    "second header": (LABELLED + NAMED, ["row 121, column 1", "'label'"]),
    "pixel above 255": (with_cell(256), ["row 6, column 10", "'256'", "0 to 255"]),
    "float above 255": (with_cell("255.5"), ["row 6, column 10", "'255.5'"]),
    "negative pixel": (with_cell(-1), ["row 6, column 10", "'-1'"]),
    "scaled pixels": (
        table(Y, X / 255, names=["label", *PIXELS]),
        ["row 2, column", "(scaled", "255"],
    ),
    "scaled pixels without header": (table(Y, X / 255), ["row 1", "scaled"]),
    "letters": (
        table([*"ab" * 60], X, names=["label", *PIXELS]),
        ["row 2, column 1 ('label')", "'a'", "encode"],
    ),
    "articles of clothing": (
        table(["T-shirt"] * 120, X),
        ["row 1, column 1", "'T-shirt'"],
    ),
    "negative labels": (
        table(Y - 5, X, names=["label", *PIXELS]),
        ["column 1 ('label')", "label"],
    ),
    "fractions as labels": (
        table(Y + 0.5, X, names=["label", *PIXELS]),
        ["row 2, column 1 ('label')", "label"],
    ),
    "two columns named as labels": (
        table(Y, X, Y, names=["label", *PIXELS, "class"]),
        ["column 1 ('label') and column 66 ('class')", "label="],
    ),
    "unknown column": (
        table(Y, X, Y, names=["label", *PIXELS, "weight"]),
        ["column 66 ('weight')", "neither a pixel, as 'pixel0'"],
    ),
    "unknown column without labels": (
        table(X, Y, names=[*PIXELS, "number of dots"]),
        ["column 65 ('number of dots')", "label="],
    ),
    "label under an unknown name": (
        table(Y, X, names=["ziffer", *PIXELS]),
        ["column 1 ('ziffer')", "label="],
    ),
    "pixel twice": (
        table(Y, X, names=["label", *PIXELS[:-1], "pixel3"]),
        ["not in order"],
    ),
    "columns counted first": (
        table(
            Y,
            X.reshape(-1, 8, 8).swapaxes(1, 2).reshape(X.shape),
            names=["label", *(f"{r}x{c}" for c in range(8) for r in range(8))],
        ),
        ["not in order"],
    ),
    "colours one by one": (
        table(
            Y,
            X[:, :63],
            names=["label", *(f"{'rgb'[n % 3]}{n // 3}" for n in range(63))],
        ),
        ["neither a pixel"],
    ),
    "both sides may be labels": (
        table(Y, NOISE),
        ["columns 1 and 65 may be pixels or labels", "label=", "'last'"],
    ),
    "both sides may be labels under names without meaning": (
        table(Y, NOISE, names=[f"V{n}" for n in range(65)]),
        ["columns 1 and 65 may be pixels or labels", "label="],
    ),
    "labels in the place of pixels": (table(Y, X[:, :63]), ["label="]),
    "no labels, and no square": (table(X[:, :60]), ["label="]),
    "label at the end, and no square": (table(X[:, :60], Y), ["label="]),
    "first digits in order": (
        b"".join(line + b"\n" for line in table(INDEX, X).split(b"\n")[:10]),
        ["may hold labels or number the rows", "label="],
    ),
    "unnamed labels as the index": (
        table(Y, X, names=["", *PIXELS]),
        ["values repeat in column 1", "label=0"],
    ),
    "numbers of columns, or an image": (
        table(Y, X, names=map(str, range(65))),
        ["row 1", "header=True"],
    ),
    "names that pandas made of an image": (
        table(Y, X, names=["5", "0", *(f"0.{n}" for n in range(1, 64))]),
        ["row 1, column 3", "'0.1'"],
    ),
    "pixels as one cell": (
        b'emotion,pixels\n0,"70 80 82"\n2,"151 150 147"\n',
        ["'emotion'", "label="],
    ),
    "ARFF": (b"@RELATION digits\n@DATA\n5,1,2\n", ["row 1", "'@REL"]),
    "JSON": (b'{"label": 1, "pixels": [1, 2]}', ["JSON"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_for_certain_is_refused_in_words(path, name):
    data, words = REFUSED[name]
    path.write_bytes(data)
    with pytest.raises(DataFormatError) as caught:
        read_csv(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_zip_archive_is_named_as_such(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train.csv", NAMED)
    with pytest.raises(DataFormatError, match=r"zip archive.*unpack"):
        read_csv(path)


@pytest.mark.parametrize(
    ("data", "label"),
    [
        (table(Y, NOISE), "first"),
        (table(Y, NOISE), 0),
        (table(NOISE, Y), "last"),
        (table(NOISE, Y), -1),
        (table(NOISE[:, :20], Y, NOISE[:, 20:]), 20),
        (table(INDEX, Y, NOISE), "first"),
        (table(INDEX, Y, NOISE), 1),
        (table(INDEX, NOISE, Y), "last"),
        (table(INDEX, NOISE, Y), -1),
        (table(Y, NOISE, names=["ziffer", *PIXELS]), "ziffer"),
        (table(Y, NOISE, names=["ziffer", *PIXELS]), "first"),
        (table(Y, NOISE, names=["", *PIXELS]), 0),
        (table(Y, NOISE, names=["", *PIXELS]), ""),
        (table(INDEX, Y, NOISE, names=["", "ziffer", *PIXELS]), "first"),
        (table(NOISE, Y, INDEX, names=[*PIXELS, "ziffer", "id"]), "last"),
        (table(Y, NOISE, names=[f"V{n}" for n in range(65)]), "V0"),
        (table(NOISE, Y, names=[f"V{n}" for n in range(65)]), "last"),
        (table(INDEX, NOISE), None),
        (table(NOISE), None),
        (table(NOISE, names=[f"V{n}" for n in range(64)]), None),
        (table(Y, NOISE, names=["", *PIXELS]), None),
    ],
)
def test_label_says_which_column_holds_the_labels(path, data, label):
    path.write_bytes(data)
    pixels, labels = read_csv(path, label=label)
    np.testing.assert_array_equal(pixels, NOISE)
    if label is None:
        assert labels is None
    else:
        np.testing.assert_array_equal(labels, Y)


@pytest.mark.parametrize(
    ("data", "label", "word"),
    [
        (NAMED, "ziffer", "no column 'ziffer'"),
        (LABELLED, "ziffer", "no names of columns"),
        (NAMED, 65, "65 columns"),
        (LABELLED, -66, "65 columns"),
        (NAMED, None, "'label'"),
        (NAMED, "last", "'label'"),
    ],
)
def test_a_label_that_is_not_there_is_refused(path, data, label, word):
    path.write_bytes(data)
    with pytest.raises(DataFormatError, match=word):
        read_csv(path, label=label)


@pytest.mark.parametrize("header", [True, False])
def test_header_says_what_the_first_row_is(path, header):
    path.write_bytes(table(Y, X, names=map(str, range(65))))
    pixels, labels = read_csv(path, header=header, label="first")
    assert len(labels) == len(Y) + (not header)
    np.testing.assert_array_equal(pixels[-len(X) :], X)
    np.testing.assert_array_equal(labels[-len(X) :], Y)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"label": 1.0}, TypeError),
        ({"label": True}, TypeError),
        ({"label": ["label"]}, TypeError),
        ({"header": "yes"}, ValueError),
        ({"header": 0}, ValueError),
    ],
)
def test_arguments_of_other_kinds_are_refused(path, arguments, error):
    path.write_bytes(NAMED)
    with pytest.raises(error, match=f"{next(iter(arguments))} must be"):
        read_csv(path, **arguments)


# --- few rows ----------------------------------------------------------------------

ONE = X[:1].ravel()
BLANK_EDGE = np.where(np.arange(64) < 60, ONE, 0)


def rows(*lines):
    return b"".join(",".join(map(str, line)).encode() + b"\n" for line in lines)


@pytest.mark.parametrize(
    "data",
    [
        rows([0, *BLANK_EDGE]),
        rows([5, *BLANK_EDGE]),
        rows([0, *ONE[:-1], 9]),
        rows([0, 5, *BLANK_EDGE]),
        rows([0, *BLANK_EDGE, 5]),
        rows([1, 0, *BLANK_EDGE], [2, 0, *BLANK_EDGE]),
        rows([3, *ONE[:-1], 0], [3, *ONE[:-1], 1], [3, *ONE[:-1], 2]),
        rows(*([label, *ONE[:-1], 9 - label] for label in (0, 0, 1, 4))),
        rows([300, *BLANK_EDGE]),
        rows([4070, *BLANK_EDGE], [12, *BLANK_EDGE]),
    ],
)
def test_few_rows_that_may_be_read_otherwise_are_refused(path, data):
    path.write_bytes(data)
    with pytest.raises(DataFormatError, match=r"rows? do(es)? not show.*label="):
        read_csv(path)


@pytest.mark.parametrize("labels", [[300, 300], [300, 4000, 300, 7]])
def test_few_rows_are_read_if_only_labels_are_possible(path, labels):
    path.write_bytes(rows(*([label, *BLANK_EDGE] for label in labels)))
    pixels, found = read_csv(path)
    np.testing.assert_array_equal(pixels, [BLANK_EDGE] * len(labels))
    np.testing.assert_array_equal(found, labels)


def test_one_row_of_pixels_alone_is_read(path):
    path.write_bytes(rows(BLANK_EDGE))
    assert read_csv(path)[1] is None
    path.write_bytes(rows([7, *ONE[1:-1], 200]))
    np.testing.assert_array_equal(
        _csv.read_unlabelled_csv(path, 64), [[7, *ONE[1:-1], 200]]
    )


@pytest.mark.parametrize("n", [5, 30])
@pytest.mark.parametrize("start", [20, 200, 4070])
def test_an_index_of_a_part_of_a_table_is_not_read_as_labels(path, n, start):
    images = [[0, 0, *X[i, 2:-2], 0, 0] for i in range(n)]
    path.write_bytes(rows(*([start + i, *image] for i, image in enumerate(images))))
    with pytest.raises(DataFormatError, match="label="):
        read_csv(path)
    pixels, _ = read_csv(path, label="first")
    np.testing.assert_array_equal(pixels, images)


def test_labels_that_are_all_0_are_not_taken_for_background(path):
    images = np.tile([6, *ONE[1:-2], 9, 9], (6, 1))
    images[:, -1] = [1, 8, 2, 4, 3, 6]
    path.write_bytes(rows(*([0, *image] for image in images)))
    for read in (read_csv, lambda path: _csv.read_unlabelled_csv(path, 64)):
        with pytest.raises(DataFormatError, match="label="):
            read(path)


CORNERS = load_digits(return_X_y=True)[0].astype(int) // 26


@pytest.mark.parametrize("n", range(1, 7))
@pytest.mark.parametrize("has_index", [False, True])
@pytest.mark.parametrize("side", [None, "first", "last"])
def test_no_table_of_few_rows_is_read_wrong(path, n, has_index, side):
    all_labels = load_digits(return_X_y=True)[1]
    rng = np.random.default_rng(n)
    for seed in range(12):
        chosen = rng.integers(0, len(CORNERS), n)
        chosen = chosen[np.argsort(all_labels[chosen], kind="stable")]
        shift = 9 * (seed % 4)  # ink at the edge
        images = np.roll(CORNERS[chosen], shift, axis=1)
        labels = all_labels[chosen]
        columns = [images]
        if side is not None:
            columns.insert(0 if side == "first" else 1, labels[:, None])
        if has_index:
            columns.insert(0, np.arange(n)[:, None] + seed % 3 * 2000)
        path.write_bytes(rows(*np.hstack(columns).tolist()))
        try:
            pixels, found = read_csv(path)
        except DataFormatError:
            pass
        else:
            np.testing.assert_array_equal(pixels, images)
            np.testing.assert_array_equal(found, None if side is None else labels)
        try:
            pixels = _csv.read_unlabelled_csv(path, 64)
        except DataFormatError:
            continue
        np.testing.assert_array_equal(pixels, images)


# --- any mixture of these ---------------------------------------------------------

DIGITS = load_digits(return_X_y=True)
IMAGE_NAMES = {
    "pixel": PIXELS,
    "grid": GRID,
    "number": [str(n) for n in range(64)],
    "letter": [f"x{n}" for n in range(64)],
    "column": None,  # all columns alike, labels and index included
    None: None,
}


def fuzz(n_examples):
    """The same examples in every run, however slow the machine."""
    return settings(
        max_examples=n_examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def mixtures(draw):
    """Draw the bytes of a table, and the images and labels that it holds."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n = draw(st.sampled_from([3, 8, 30, 110]))
    rows = rng.integers(0, len(DIGITS[0]), n)
    pixels, labels = (array[rows].astype(int) for array in DIGITS)
    match draw(st.sampled_from(["digits", "binary", "scan", "noise"])):
        case "binary":
            pixels = pixels // 128
        case "scan":
            pixels = np.minimum(pixels + rng.integers(0, 4, pixels.shape), 255)
        case "noise":
            pixels = rng.integers(0, 2 ** draw(st.integers(1, 8)), pixels.shape)
    match draw(st.sampled_from(["digits", "two", "one", "many"])):
        case "two":
            labels = labels % 2
        case "one":
            labels[:] = 7
        case "many":
            labels = rng.integers(0, 62, n)
    side = draw(st.sampled_from([None, "first", "last"]))
    index = draw(st.sampled_from([None, 0, 1, "any"]))
    kind = draw(st.sampled_from(list(IMAGE_NAMES)))
    columns, names = [pixels], IMAGE_NAMES[kind] or [""] * 64
    if side is not None:
        place = 0 if side == "first" else 1
        name = draw(st.sampled_from(["label", "Class", "y", "TARGET"]))
        columns.insert(place, labels[:, None])
        names = [name, *names] if side == "first" else [*names, name]
    if index is not None:
        numbers = rng.permutation(n) if index == "any" else np.arange(n) + index
        columns.insert(0, numbers[:, None])
        names = [draw(st.sampled_from(["", "id", "Unnamed: 0", "ImageId"])), *names]
    if kind == "column":
        names = [f"V{n}" for n in range(len(names))]
    number = draw(st.sampled_from(["{}", "{}.0", "{:.3e}", "{:03}"]))
    lines = [[number.format(v) for v in row] for row in np.hstack(columns).tolist()]
    if kind is not None:
        lines.insert(0, names)
    if draw(st.booleans()):
        lines = [[f'"{cell}"' for cell in line] for line in lines]
    separator = draw(st.sampled_from([",", ";", "\t", ", "]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    text = end.join(map(separator.join, lines))
    return text.encode(encoding), pixels, None if side is None else labels


@fuzz(250)
@given(mixture=mixtures())
def test_no_mixture_is_read_wrong(tmp_path_factory, mixture):
    data, pixels, labels = mixture
    path = tmp_path_factory.getbasetemp() / "mixture.csv"
    path.write_bytes(data)
    try:
        X_read, y_read = read_csv(path)
    except DataFormatError:
        pass
    else:
        np.testing.assert_array_equal(X_read, pixels)
        np.testing.assert_array_equal(y_read, labels)
    try:
        X_read = _csv.read_unlabelled_csv(path, 64)
    except DataFormatError:
        pass
    else:
        np.testing.assert_array_equal(X_read, pixels)


@fuzz(60)
@given(
    shape=st.sampled_from([(1,), (12,), (64,), (8, 8), (3, 5), (1, 9)]),
    n=st.integers(1, 12),
    top=st.sampled_from([0, 1, 255]),
    largest=st.sampled_from([0, 1, 9, 2**62]),
    seed=st.integers(0, 1000),
    suffix=st.sampled_from(["csv", "csv.gz"]),
)
def test_what_is_written_comes_back(
    tmp_path_factory, shape, n, top, largest, seed, suffix
):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, top + 1, (n, *shape))
    labels = rng.integers(0, largest + 1, n)
    path = tmp_path_factory.getbasetemp() / f"written.{suffix}"
    write_csv(path, pixels, labels)
    images = _csv.read_table(path)
    np.testing.assert_array_equal(images.pixels, pixels.reshape(n, -1))
    np.testing.assert_array_equal(images.labels, labels)
    if len(shape) == 2 and shape[0] != shape[1]:
        assert images.shape == shape
    write_csv(path, pixels, labels, header=False)
    found = read_csv(path, label="first", header=False)
    np.testing.assert_array_equal(found[0], pixels.reshape(n, -1))
    np.testing.assert_array_equal(found[1], labels)


def test_pandas_takes_no_image_for_a_header(path):
    write_csv(path, X.reshape(-1, 8, 8), Y)
    frame = pd.read_csv(path)
    assert list(frame) == ["label", *PIXELS]
    np.testing.assert_array_equal(frame["label"], Y)
    np.testing.assert_array_equal(frame.drop(columns="label"), X)


# --- limits ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"0," * 1_000_000 + b"0\n", ["1,000,001 columns", "at most 262,146"]),
        (b"p," * 1_000_000 + b"p\n0\n", ["1,000,001 columns"]),
        (gzip.compress(b"\0" * 50_000_000), ["value 0"]),
        (gzip.compress(b"0" * 50_000_000), ["row 1", "longer than"]),
        (gzip.compress(b"0," * 25_000_000), ["row 1", "longer than"]),
        (b"\n" * 5_000_000, ["10,000 lines"]),
        (b"# a comment\n" * 500_000, ["10,000 lines"]),
        (b"7,0\n" + b"0" * 40_000_000, ["row 2", "longer than"]),
    ],
)
def test_absurd_files_are_refused_before_they_fill_memory(path, data, words):
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(DataFormatError) as caught:
            read_csv(path)
        assert tracemalloc.get_traced_memory()[1] < 150_000_000
    finally:
        tracemalloc.stop()
    for word in words:
        assert word in str(caught.value)


def test_a_large_gzip_file_is_unpacked_once_before_it_is_kept(path, monkeypatch):
    monkeypatch.setattr(_files, "_LARGE", 100_000)
    monkeypatch.setattr(_files, "_NEVER_SUSPICIOUS", 200_000)
    images = np.zeros((3000, 784), np.uint8)
    write_csv(path.with_suffix(".gz"), images, np.arange(3000) % 10)
    monkeypatch.setattr(_text_lines, "_CHUNK", 1000)
    monkeypatch.setattr(_text_tables, "_BLOCK", 50_000)
    n_rows = []
    read = _text_tables.TextTable._read_plain

    def count_rows(table, block):
        n_rows.append(block.count("\n"))
        return read(table, block)

    monkeypatch.setattr(_text_tables.TextTable, "_read_plain", count_rows)
    with pytest.raises(DataFormatError, match="would unpack to more than"):
        read_csv(path.with_suffix(".gz"))
    assert sum(n_rows) < 200


def test_too_many_rows_are_refused(path, monkeypatch):
    monkeypatch.setattr(_text_tables, "MAX_ROWS", 119)
    path.write_bytes(NAMED)
    with pytest.raises(DataFormatError, match="more than 119 rows"):
        read_csv(path)


@pytest.mark.parametrize("block", [1, 700])
@pytest.mark.parametrize("name", ["quoted numbers", "floats", "lone CR", "CRLF"])
def test_blocks_of_any_size_give_the_same_rows(path, monkeypatch, name, block):
    monkeypatch.setattr(_text_tables, "_BLOCK", block)
    monkeypatch.setattr(_text_tables, "_MIN_LINES", 1)
    path.write_bytes(READ_WITH_LABELS[name])
    pixels, labels = read_csv(path)
    np.testing.assert_array_equal(pixels, X)
    np.testing.assert_array_equal(labels, Y)


@pytest.mark.parametrize("missing", [1, 5, 62])
def test_a_missing_pixel_is_named(missing, tmp_path):
    names = [f"pixel{n}" for n in range(64) if n != missing]
    path = tmp_path / "train.csv"
    row = ",".join("0" * len(names))
    path.write_text(f"label,{','.join(names)}\n" + f"3,{row}\n" * 5)
    with pytest.raises(DataFormatError, match=f"there is no 'pixel{missing}'"):
        read_csv(path)
