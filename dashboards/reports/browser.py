"""One headless browser, spoken to over two pipes in its debugging protocol: no port, no network, no files.

Kaleido does the same with 5,700 lines, one reload for every picture, and flags that switch web security off; it is not
needed here. Every wait has a limit: when it is over the browser is taken down, and whoever waits gets BrowserError.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson

from dashboards.reports.launch import Launched, launch

OPTIONS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-domain-reliability",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-features=MediaRouter,OptimizationHints,Translate",
    "--disable-crash-reporter",
    "--disable-breakpad",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # too small in containers
    "--disable-renderer-backgrounding",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--lang=vi",
    "--password-store=basic",
    "--use-mock-keychain",
    "--proxy-server=http://127.0.0.1:9",  # nobody listens: whatever a page asks for, nothing leaves the machine
    "--proxy-bypass-list=<-loopback>",
)
BLANK = "about:blank"
SETTLED = """Promise.all([document.fonts.ready, ...Array.from(document.images, one => one.decode().catch(() => 0))])
  .then(() => 1)"""
"""Every font and picture of the page is there, or will never be."""


class BrowserError(Exception):
    """The browser did not start, died, took too long, or refused what was asked; in English, for the log."""


class Browser:
    """A running browser. Always `close` it, best by `with`: then nothing of it is left."""

    def __init__(self, program: str, environ: Mapping[str, str] = os.environ) -> None:
        options = [*OPTIONS, "--no-sandbox"] if _is_root() else OPTIONS
        kept = {name: value for name, value in environ.items() if not name.startswith("NHIP_")}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close
        self._process: Launched = launch([program, *options, BLANK], kept, self._log)
        self._asked = 0
        self._rest = b""

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the browser down with all its children and its profile."""
        self._process.end()
        self._log.close()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """What is done inside has so much time; after that the browser dies and BrowserError is raised."""
        late = threading.Event()

        def cut() -> None:
            late.set()
            self._process.cut()

        timer = threading.Timer(seconds, cut)
        timer.start()
        try:
            yield
        except (OSError, EOFError) as error:
            how = f"took more than {seconds:g} s" if late.is_set() else "ended unexpectedly"
            raise BrowserError(f"the browser {how}: {self._last_words()}") from error
        finally:
            timer.cancel()

    def call(self, method: str, session: str = "", /, **given: Any) -> dict[str, Any]:
        """The answer to one command of the protocol; use it inside `within`."""
        self._asked += 1
        asked = {"id": self._asked, "method": method, "params": given}
        self._process.write(orjson.dumps(asked | ({"sessionId": session} if session else {})) + b"\0")
        while (said := self._next()).get("id") != self._asked:
            continue  # events
        if "error" in said:
            raise BrowserError(f"{method}: {said['error'].get('message')}")
        answer: dict[str, Any] = said["result"]
        return answer

    def _next(self) -> dict[str, Any]:
        parts = [self._rest]
        while b"\0" not in parts[-1]:
            parts.append(self._process.read())
        message, _, self._rest = b"".join(parts).partition(b"\0")
        answer: dict[str, Any] = orjson.loads(message)
        return answer

    def _last_words(self) -> str:
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - 400))
        return self._log.read().decode(errors="replace").strip()

    @contextmanager
    def tab(self) -> Iterator[Tab]:
        """A blank page of its own."""
        target = self.call("Target.createTarget", url=BLANK)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        yield Tab(self, session)
        self.call("Target.closeTarget", targetId=target)


class Tab:
    """One page of a browser."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self._session = browser, session

    def call(self, method: str, /, **given: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **given)

    def value(self, expression: str) -> Any:
        """What a JavaScript expression comes to, promises waited for; BrowserError when it throws."""
        said = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in said:
            thrown = said["exceptionDetails"]
            raise BrowserError(str(thrown.get("exception", {}).get("description") or thrown.get("text"))[:400])
        return said["result"].get("value")

    def show(self, html: str) -> None:
        """A whole document, with its pictures and fonts, and without any script that it may hold."""
        self.call("Emulation.setScriptExecutionDisabled", value=True)
        frame = self.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self.call("Page.setDocumentContent", frameId=frame, html=html)
        self.value(SETTLED)


def _is_root() -> bool:
    """Then Chromium has no sandbox to offer; what it shows is ours alone, and offline."""
    return sys.platform != "win32" and os.geteuid() == 0
