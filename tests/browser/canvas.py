"""Hands on the canvas: a mouse that waits until things stand still, and a keyboard that looks where the focus is."""

from playwright.sync_api import FloatRect, Locator, Page


def box(page: Page, title: str) -> Locator:
    """Return the button of a block by the beginning of its name."""
    return page.locator(f'.cv-box[aria-label^="{title}"]')


def plus(page: Page, way: str) -> Locator:
    """Return the + of a way by a part of its name."""
    return page.locator(f'.cv-plus[aria-label*="{way}"]')


def at_rest(page: Page, *things: Locator) -> list[FloatRect]:
    """Wait until things stand still, as a hand does, and return where: the drawing moves when an answer has come in."""
    before, now = None, [thing.bounding_box() for thing in things]
    for _ in range(100):
        found = [place for place in now if place is not None]
        if before == now and len(found) == len(things):
            return found
        page.wait_for_timeout(150)
        before, now = now, [thing.bounding_box() for thing in things]
    raise AssertionError(f"it does not come to rest: {now}")


def put_in(page: Page, way: str, kind: str) -> Locator:
    """Press the + of a way once it stands still, choose a kind, and return the form."""
    at_rest(page, plus(page, way))
    plus(page, way).click()
    page.get_by_role("dialog").get_by_role("button", name=kind).click()
    form = page.locator(".cv-panel")
    form.get_by_role("button", name="Put in").wait_for()
    return form


def save(form: Locator, button: str, page: Page) -> None:
    form.get_by_role("button", name=button, exact=True).click()
    page.locator(".cv-panel").wait_for(state="detached")


def publish(page: Page) -> None:
    page.get_by_role("link", name="Publish…").click()
    page.get_by_role("button", name="Publish version 1").click()
    page.get_by_text("Version 1 is published.").wait_for()


def focused(page: Page) -> str:
    """Return the name of what has the focus."""
    said: str = page.evaluate(
        "(a => (a.getAttribute('aria-label') || a.labels?.[0]?.innerText || a.innerText || '').trim())"
        "(document.activeElement)"
    )
    return said


def press_until(page: Page, key: str, name: str) -> None:
    """Press a key until what has the focus has this name, as somebody without a mouse does."""
    for _ in range(80):
        if focused(page).startswith(name):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{name} is not reached by {key}; the focus is on {focused(page)}")


def wait_for_focus(page: Page, name: str) -> None:
    page.wait_for_function(
        "name => { const one = document.activeElement;"
        " return one !== document.body && (one.getAttribute('aria-label') || one.innerText).includes(name); }",
        arg=name,
    )


def insert_by_keys(page: Page, kind: str) -> None:
    """Open the menu at the item with the focus, search a kind, and take it."""
    page.keyboard.press("+")
    page.get_by_role("dialog").wait_for()
    page.keyboard.type(kind)
    page.keyboard.press("Enter")
    page.locator(".cv-panel form").first.wait_for()


def save_by_enter(page: Page) -> None:
    page.keyboard.press("Enter")
    page.locator(".cv-panel").wait_for(state="detached")


def begin_with_orders(page: Page) -> None:
    press_until(page, "Tab", "Who enters")
    page.keyboard.press("Enter")
    page.locator(".cv-panel form").first.wait_for()
    press_until(page, "Tab", "It begins when")
    page.keyboard.type("An order is placed")
    press_until(page, "Tab", "Save")
    save_by_enter(page)
    wait_for_focus(page, "Who enters")


def ask_what_is_bought(page: Page) -> None:
    insert_by_keys(page, "something happen")
    press_until(page, "Tab", "What is waited for")
    page.keyboard.type("A product is bought")
    press_until(page, "Tab", "Search for a product")
    page.keyboard.type("pottery")
    page.keyboard.press("Enter")
    page.get_by_label("Course of pottery").wait_for()
    press_until(page, "Tab", "Course of pottery")
    page.keyboard.press("Space")
    press_until(page, "Tab", "Put in")
    save_by_enter(page)
    wait_for_focus(page, "1. ")


def publish_by_keys(page: Page) -> None:
    press_until(page, "Shift+Tab", "Publish…")
    page.keyboard.press("Enter")
    page.wait_for_url("**/publish/")
    press_until(page, "Tab", "Publish version 1")
    page.keyboard.press("Enter")
    page.get_by_text("Version 1 is published.").wait_for()
