"""A browser without a window, driven by the protocol of its developer tools."""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
from collections import deque

_NAMES = "chromium", "chromium-browser", "google-chrome"
PROGRAM = next(filter(None, map(shutil.which, _NAMES)), None)
_TIMEOUT = 60  # seconds

# The browser reads from descriptor 3 and writes to 4.
_EXEC = """
import os, sys
ends = [os.dup2(int(end), 50 + place) for place, end in enumerate(sys.argv[1:3])]
for place, end in enumerate(ends):
    os.dup2(end, 3 + place)
os.execv(sys.argv[3], sys.argv[3:])
"""
_ERRORS = {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"}


class Tab:
    """A page in a browser, and what the browser reports of it."""

    def __init__(self, browser, session, errors, requests):
        self._browser = browser
        self._session = session
        self.errors = errors
        self.requests = requests

    def call(self, method, **params):
        """Call a method of the protocol; return its result."""
        return self._browser.call(method, session=self._session, **params)

    def run(self, script):
        """Evaluate JavaScript in the page; return its value."""
        result = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait(self, condition):
        """Wait until a condition in JavaScript holds."""
        self.run(
            "new Promise((done) => { const look = () => "
            f"({condition}) ? done() : setTimeout(look, 20); look(); }})"
        )

    def text(self, selector):
        """Return the text of an element as it is shown."""
        return self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    def box(self, selector):
        """Return left, top, width and height of an element in the window."""
        return self.run(
            f"(({{x, y, width, height}}) => [x, y, width, height])(document."
            f"querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )

    def draw(self, strokes, selector="#sheet"):
        """Draw strokes, of places in [0, 1], with the mouse."""
        left, top, width, height = self.box(selector)
        for stroke in strokes:
            kinds = ["mousePressed", *["mouseMoved"] * (len(stroke) - 1)]
            for kind, (x, y) in zip(kinds, stroke, strict=True):
                self._mouse(kind, left + x * width, top + y * height)
            self._mouse("mouseReleased", left + x * width, top + y * height)

    def touch(self, strokes, selector="#sheet"):
        """Draw strokes, of places in [0, 1], with a finger."""
        left, top, width, height = self.box(selector)
        for stroke in strokes:
            kinds = ["touchStart", *["touchMove"] * (len(stroke) - 1)]
            for kind, (x, y) in zip(kinds, stroke, strict=True):
                point = {"x": left + x * width, "y": top + y * height}
                self.call("Input.dispatchTouchEvent", type=kind, touchPoints=[point])
            self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def press(self, *keys):
        """Press keys, one after the other."""
        for key in keys:
            text = {"text": key} if len(key) == 1 else {}
            for kind in ("keyDown", "keyUp"):
                self.call("Input.dispatchKeyEvent", type=kind, key=key, **text)
                text = {}

    def picture(self, path, *, width, height, dark=False, scale=2):
        """Write a picture of the page."""
        self.resize(width, height, dark=dark, scale=scale)
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def resize(self, width, height, *, dark=False, scale=1):
        """Show the page on a screen of some size and colour scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 500,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")

    def _mouse(self, kind, x, y):
        buttons = 0 if kind == "mouseReleased" else 1
        self.call(
            "Input.dispatchMouseEvent",
            type=kind,
            x=x,
            y=y,
            button="left",
            buttons=buttons,
            clickCount=1,
        )


class Browser:
    """A running browser, to which messages go through a pipe."""

    def __init__(self, folder):
        to_browser, self._write_end = os.pipe()
        self._read_end, from_browser = os.pipe()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-c", _EXEC, str(to_browser), str(from_browser)),
                PROGRAM,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-component-update",
                "--disable-background-networking",
                f"--user-data-dir={folder}",
                "--remote-debugging-pipe",
            ],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._messages = self._read()
        self._n_calls = 0
        self._tabs = {}

    def close(self):
        """End the browser."""
        with contextlib.suppress(OSError):
            self.call("Browser.close")
        for end in (self._write_end, self._read_end):
            os.close(end)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def call(self, method, session=None, **params):
        """Call a method of the protocol; return its result."""
        self._n_calls += 1
        message = {"id": self._n_calls, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        data = memoryview(json.dumps(message).encode() + b"\0")
        while data:
            data = data[os.write(self._write_end, data) :]
        for answer in self._messages:
            if answer.get("id") == self._n_calls:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self._note(answer)
        raise OSError("the browser has ended")

    def open(self, path):
        """Open a file; return its tab when it is loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)
        tab = Tab(self, session["sessionId"], [], [])
        self._tabs[session["sessionId"]] = tab
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.call(f"{domain}.enable")
        tab.resize(1280, 800)
        tab.call("Page.navigate", url=path.absolute().as_uri())
        tab.run(
            "new Promise((done) => document.readyState === 'complete' ? done() : "
            "addEventListener('load', done))"
        )
        return tab

    def _note(self, event):
        tab = self._tabs.get(event.get("sessionId"))
        method, params = event["method"], event["params"]
        if tab is None:
            return
        if method in _ERRORS:
            tab.errors.append(params)
        elif method == "Network.requestWillBeSent":
            tab.requests.append(params["request"]["url"])

    def _read(self):
        """Yield messages; they end with a zero byte."""
        pieces, waiting = [], deque()
        while True:
            while waiting:
                yield json.loads(waiting.popleft())
            if not select.select([self._read_end], [], [], _TIMEOUT)[0]:
                raise TimeoutError(f"the browser said nothing for {_TIMEOUT} s")
            data = os.read(self._read_end, 1 << 20)
            if not data:
                return
            *ended, rest = data.split(b"\0")
            for part in ended:
                pieces.append(part)
                waiting.append(b"".join(pieces))
                pieces = []
            pieces.append(rest)
