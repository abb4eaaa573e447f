"""Servers that do not give what was published."""

import pytest

from skmnist.datasets import (
    DataNotFoundError,
    _download,
    fetch_mnist,
)

from .sets import (
    NAMES,
    names_in,
    serving,
    value_of,
)


def truncated(handler, name, data):
    handler.reply(data[:-5], length=len(data))
    return True


def short(handler, name, data):
    handler.reply(data[:-5])
    return True


def long(handler, name, data):
    handler.reply(data * 100)
    return True


def altered(handler, name, data):
    handler.reply(data[:-1] + bytes([data[-1] ^ 1]))
    return True


def web_page(handler, name, data):
    handler.reply(b"<html>Please sign in</html>")
    return True


def absent(handler, name, data):
    handler.reply(b"nothing here", status=404)
    return True


def stalled(handler, name, data):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data[:20])
    handler.stall()
    return True


def dripping(handler, name, data):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    drip(handler, b"x" * 100)
    return True


def dripping_headers(handler, name, data):
    drip(handler, b"HTTP/1.0 200 OK\r\n" + b"X: y\r\n" * 15)
    return True


def drip(handler, data):
    """Send a byte well within the time that the client waits for one."""
    for byte in data:
        try:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
        except OSError:
            return
        if handler.server.stopping.wait(0.05):
            return


def silent(handler, name, data):
    handler.stall()
    return True


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (truncated, "broken off"),
        (short, "broken off after"),
        (long, "longer than the"),
        (altered, "wrong checksum"),
        (web_page, "broken off after 27 of"),
        (absent, "answered 404"),
        (stalled, "no answer in time"),
        (silent, "no answer in time"),
    ],
)
def test_failed_download_is_one_error_and_leaves_nothing(
    tmp_path, monkeypatch, published, answer, reason
):
    monkeypatch.setattr(_download, "_TIMEOUT", (5, 0.3))
    with serving(published, answer) as server:
        monkeypatch.setattr(_download, "MIRRORS", (server.url,))
        with pytest.raises(DataNotFoundError, match=reason) as caught:
            fetch_mnist(data_home=tmp_path / "set")
    assert server.url + NAMES[0] in str(caught.value)
    assert names_in(tmp_path / "set") == []


@pytest.mark.parametrize("answer", [dripping, dripping_headers])
def test_download_that_drips_is_given_up(tmp_path, monkeypatch, published, answer):
    monkeypatch.setattr(_download, "_TIMEOUT", (0.3, 0.3))
    with serving(published, answer) as server:
        monkeypatch.setattr(_download, "MIRRORS", (server.url,))
        with pytest.raises(DataNotFoundError, match="too slow, less than 16,384"):
            fetch_mnist(data_home=tmp_path / "set")
    assert names_in(tmp_path / "set") == []


def test_next_mirror_is_asked_when_one_fails(tmp_path, monkeypatch, published):
    def first_only(handler, name, data):
        return absent(handler, name, data) if "labels" in name else False

    with serving(published, first_only) as bad, serving(published) as good:
        monkeypatch.setattr(_download, "MIRRORS", (bad.url, good.url))
        assert value_of(fetch_mnist(data_home=tmp_path / "set")) == 100
        assert bad.requests == NAMES[:2]
        assert good.requests == [NAMES[1]]
