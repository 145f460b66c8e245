"""Hands on the canvas: a mouse that waits until things stand still, and a keyboard that looks where the focus is."""

from playwright.sync_api import FloatRect, Locator, Page

STILL = """things => {
    const places = things.map(thing => document.querySelector(thing)?.getBoundingClientRect().toJSON() ?? null);
    const said = JSON.stringify(places), kept = (window.keptStill ??= {});
    kept.frames = said === kept.said && !places.includes(null) ? kept.frames + 1 : 0;
    kept.said = said;
    return kept.frames >= 10 && places;
}"""

# Some pictures of the page, in which what follows from an answer is drawn.
SOME_PICTURES = """() => new Promise(done => {
    const draw = left => left ? requestAnimationFrame(() => draw(left - 1)) : done();
    draw(5);
})"""


def box_of(title: str) -> str:
    """Return where the button of a block is, by the beginning of its name."""
    return f'.cv-box[aria-label^="{title}"]'


def plus_of(way: str) -> str:
    """Return where the + of a way is, by a part of its name."""
    return f'.cv-plus[aria-label*="{way}"]'


def box(page: Page, title: str) -> Locator:
    """Return the button of a block by the beginning of its name."""
    return page.locator(box_of(title))


def plus(page: Page, way: str) -> Locator:
    """Return the + of a way by a part of its name."""
    return page.locator(plus_of(way))


def at_rest(page: Page, *things: str) -> list[FloatRect]:
    """Wait until things stand still for ten pictures, as a hand does, and return where.

    The drawing moves when an answer has come in, and once more when what it shows is measured.
    """
    page.evaluate("delete window.keptStill")
    places: list[FloatRect] = page.wait_for_function(STILL, arg=list(things)).json_value()
    return places


def put_in(page: Page, way: str, kind: str) -> Locator:
    """Press the + of a way once it stands still, choose a kind, and return the form."""
    at_rest(page, plus_of(way))
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


def choose_by_keys(page: Page, label: str, words: str) -> None:
    """Go to a list, open it, walk to the choice that begins with these words, and take it.

    Not by typing them: letters that come a second late begin another search, and a space among them opens the list.
    """
    press_until(page, "Tab", label)
    page.keyboard.press("Space")
    page.wait_for_function("document.activeElement.matches('option')")
    page.keyboard.press("Home")
    press_until(page, "ArrowDown", words)
    page.keyboard.press("Enter")
    page.wait_for_function(
        "words => document.activeElement.selectedOptions?.[0].label.trim().startsWith(words)", arg=words
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
    choose_by_keys(page, "It begins when", "An order is placed")
    press_until(page, "Tab", "Save")
    save_by_enter(page)
    wait_for_focus(page, "Who enters")


def ask_what_is_bought(page: Page) -> None:
    insert_by_keys(page, "something happen")
    choose_by_keys(page, "What is waited for", "A product is bought")
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
