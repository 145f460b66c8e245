"""A real Chromium at the real screens."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from recoup.accounts.models import User
from tests.web.world import PASSWORD, client_of

T = TypeVar("T")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
LONGEST = 240  # seconds, on a machine that is busy with other things
PAGE_TIMEOUT = 15_000  # milliseconds


class InBrowser(Protocol):
    """Runs steps with a browser."""

    def __call__(self, steps: Callable[[Browser], T]) -> T: ...


@pytest.fixture
def in_browser(chromium_path: str) -> InBrowser:
    """Return what runs steps in a thread of their own: the browser's event loop and Django's database do not mix."""

    def run(steps: Callable[[Browser], T]) -> T:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(_drive, chromium_path, steps).result(timeout=LONGEST)

    return run


def _drive(path: str, steps: Callable[[Browser], T]) -> T:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        try:
            return steps(browser)
        finally:
            browser.close()


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


def session_of(person: User, address: str) -> Any:
    """Return the cookie of somebody who is signed in; made outside the browser's thread, as it needs the database."""
    value = client_of(person).cookies[settings.SESSION_COOKIE_NAME].value
    return {"name": settings.SESSION_COOKIE_NAME, "value": value, "url": address}


def sign_in(page: Page, address: str, email: str) -> None:
    """Sign in by the form, as a person with a mouse does."""
    page.goto(f"{address}/accounts/login/")
    page.locator("input[name=login]").fill(email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main form button").first.click()
    page.wait_for_url("**/s/**")
