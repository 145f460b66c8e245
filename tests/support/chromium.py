"""A Chromium that outlives the tests of a process: starting one takes longer than most of what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request, sync_playwright

T = TypeVar("T")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# Nobody waits this long but where a machine is busy with other things: every wait ends when what it waits for is there.
LONGEST = 600  # seconds
PAGE_TIMEOUT = 60_000  # milliseconds


class InBrowser(Protocol):
    """Runs steps with a browser."""

    def __call__(self, steps: Callable[[Browser], T]) -> T: ...


class Chromium:
    """Runs steps with one browser, in a thread of its own: the browser's event loop and Django's database do not mix."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.thread = ThreadPoolExecutor(1)
        self.playwright: Playwright | None = None
        self.browser: Browser | None = None

    def run(self, steps: Callable[[Browser], T]) -> T:
        """Run steps and return what they return; no page, cookie or file of theirs is left for the next."""
        return self.thread.submit(self._run, steps).result(timeout=LONGEST)

    def _run(self, steps: Callable[[Browser], T]) -> T:
        browser = self._alive()
        try:
            return steps(browser)
        finally:
            for context in browser.contexts:
                context.close()

    def _alive(self) -> Browser:
        if self.playwright is None:
            self.playwright = sync_playwright().start()
        if self.browser is None or not self.browser.is_connected():
            self.browser = self.playwright.chromium.launch(executable_path=self.path, args=QUIET)
        return self.browser

    def stop(self) -> None:
        """Close the browser, if one was ever needed."""
        self.thread.submit(self._stop).result(timeout=LONGEST)
        self.thread.shutdown()

    def _stop(self) -> None:
        if self.browser is not None:
            self.browser.close()
        if self.playwright is not None:
            self.playwright.stop()


def open_page(context: BrowserContext) -> tuple[Page, list[str]]:
    """Return a fresh page and the list of what it complains about: console, scripts, policy, failed requests."""
    page, complaints = context.new_page(), list[str]()
    page.set_default_timeout(PAGE_TIMEOUT)
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "requestfailed",
        lambda sent: complaints.append(f"{sent.url} {sent.failure}") if _is_lost(sent) else None,
    )
    return page, complaints


def _is_lost(sent: Request) -> bool:
    """Tell whether a request failed by itself; one that leaving the page broke off did not."""
    return "ERR_ABORTED" not in (sent.failure or "")
