"""Headless Chromium, led over its debugging pipe (file descriptors 3 and 4): what a person would do, and see."""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
WITHIN_SECONDS = 30
QUIET = (
    "--headless",
    "--no-sandbox",  # it opens nothing but our own page, and tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-pipe",
)
KEYS = {"Enter": ("Enter", 13, "\r"), "Tab": ("Tab", 9, ""), "Escape": ("Escape", 27, ""), "/": ("Slash", 191, "/")}


def found() -> str | None:
    """Return the browser of this machine, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """A tab."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", {"url": "about:blank"}, None)["targetId"]
        self._session: str | None = self._call("Target.attachToTarget", {"targetId": target, "flatten": True}, None)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._call(method, parameters, self._session)

    def _call(self, method: str, parameters: dict[str, Any], session: str | None) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        bound = time.monotonic() + WITHIN_SECONDS
        while True:
            answer = self._next(bound)
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer)
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _next(self, bound: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, bound - time.monotonic()))
            assert ready, "the browser does not answer"
            piece = os.read(self._answers, 1 << 16)
            assert piece, "the browser has ended"
            self._buffer += piece
        message, self._buffer = self._buffer.split(b"\0", 1)
        found: dict[str, Any] = json.loads(message)
        return found

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def tell(self, expression: str) -> Any:
        """Return the value of an expression, of a promise what it gives."""
        told = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def wait(self, expression: str) -> None:
        """Wait until an expression is true in the page."""
        bound = time.monotonic() + WITHIN_SECONDS
        while not self.tell(f"Boolean({expression})"):
            assert time.monotonic() < bound, (expression, self.tell("document.body.innerText"))
            with contextlib.suppress(AssertionError):  # what the page tells meanwhile is kept
                self.events.append(self._next(time.monotonic() + 0.05))

    def text(self, selector: str) -> str:
        return str(self.tell(f"document.querySelector({json.dumps(selector)}).innerText"))

    def press(self, key: str, *, shift: bool = False) -> None:
        code, number, text = KEYS[key]
        what = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown", **what, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **what)

    def write(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def look(self, *, width: int, height: int, dark: bool = False) -> None:
        """Take a screen's size, and what its person prefers."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def picture(self, path: Path) -> None:
        """Write what is on the screen."""
        found = self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(found["data"]))

    def complaints(self) -> list[str]:
        """Return what the browser has refused, or what has failed in the page."""
        self.tell("0")
        thrown = [str(each["params"]) for each in self.events if each["method"] == "Runtime.exceptionThrown"]
        logged = [each["params"]["entry"] for each in self.events if each["method"] == "Log.entryAdded"]
        return thrown + [f"{each['source']}: {each['text']}" for each in logged]

    def asked(self) -> list[tuple[float, str]]:
        """Return when what was asked for, in seconds."""
        self.tell("0")
        sent = [each["params"] for each in self.events if each["method"] == "Network.requestWillBeSent"]
        return [(each["timestamp"], each["request"]["url"]) for each in sent]


@contextlib.contextmanager
def opened(program: str, folder: Path) -> Iterator[Page]:
    """Give a tab of a browser that is new, and ends with the context."""
    commands_read, commands = os.pipe()
    answers, answers_write = os.pipe()
    line = f'exec "$@" 3<&{commands_read} 4>&{answers_write}'
    arguments = [*QUIET, f"--user-data-dir={folder / 'profile'}"]
    browser = subprocess.Popen(
        ["bash", "-c", line, "browser", program, *arguments],
        pass_fds=(commands_read, answers_write),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(commands_read)
    os.close(answers_write)
    try:
        page = Page(commands, answers)
        yield page
        page.tell("0")
    finally:
        os.close(commands)  # it ends when nobody leads it
        try:
            browser.wait(WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            browser.kill()
            browser.wait()
        os.close(answers)
