"""A real Chromium at the real screens."""

from typing import Any

from django.conf import settings
from playwright.sync_api import Page

from recoup.accounts.models import User
from tests.web.world import PASSWORD, client_of


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
