"""Render sample pages and photograph them at three widths, by day and by night.

    python tools/gallery/render.py OUT [PAGE ...] [--widths 360,768,1440] [--themes light,dark] [--axe]
    python tools/gallery/render.py --check    every page on a phone by day and at a desk by night, no pictures

Needs the built front end and a Chromium. Pages are served on 127.0.0.1 only, under the policy that forbids
inline styles and scripts. Every breach of that policy, every error of a script, every page wider than its
window and everything that axe finds is printed and makes the exit status 1.
"""

import argparse
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from mimetypes import guess_type
from pathlib import Path
from typing import Any

import django
from django.conf import settings

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ARGS: tuple[str, ...] = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
)
ARGS += ("--disable-sync", "--no-first-run")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
Page = tuple[str, Callable[..., dict[str, Any]]]
PHONE, DESK = (360, "light"), (1440, "dark")


def configure() -> None:
    """Set up just enough of Django to render a template."""
    settings.configure(
        DEBUG=False,
        SECRET_KEY="gallery",
        USE_TZ=True,
        TIME_ZONE="Europe/Warsaw",
        LANGUAGES=[("en", "English"), ("pl", "Polski"), ("ru", "Русский"), ("de", "Deutsch")],
        LOCALE_PATHS=[ROOT / "recoup" / "locale"],
        STATIC_URL="/static/",
        INSTALLED_APPS=["django.contrib.staticfiles", "recoup.core", "recoup.storefront", "recoup.web"],
        ROOT_URLCONF="gallery_urls",
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "DIRS": [HERE]},
        ],
    )
    sys.path[:0] = [str(ROOT), str(HERE)]
    django.setup()


class Answers(BaseHTTPRequestHandler):
    """Serves rendered pages and the built files."""

    def __init__(self, render: Callable[[str], str], *given: Any) -> None:
        self.render = render
        super().__init__(*given)

    def do_GET(self) -> None:
        """Answer a page (`/page/NAME/LANGUAGE/THEME`) or a file under /static/."""
        path = self.path.split("?")[0]
        if path.startswith("/static/"):
            file = ROOT / "recoup/web" / path.lstrip("/")
            self.answer(file.read_bytes(), guess_type(file.name)[0] or "application/octet-stream")
        elif path.startswith("/page/"):
            self.answer(self.render(path).encode(), "text/html; charset=utf-8")
        elif path.endswith("theme.css"):
            from recoup.storefront.theme import theme_css  # local: django

            self.answer(theme_css("#7a3e9d").encode(), "text/css")
        elif path.startswith("/preview/"):
            policy = "default-src 'none'; frame-ancestors 'self'"
            self.answer((HERE / "mail.html").read_bytes(), "text/html; charset=utf-8", policy)
        else:
            self.send_error(404)

    def answer(self, body: bytes, kind: str, policy: str = POLICY) -> None:
        """Send one answer under a policy."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("Cache-Control", "max-age=600" if self.path.startswith("/static/") else "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *given: Any) -> None:
        """Say nothing."""


def render_path(pages: dict[str, Page], path: str) -> str:
    """Render `/page/NAME/LANGUAGE/THEME`."""
    from django.template.loader import render_to_string  # local: django
    from django.utils import translation  # local: django

    name, language, theme = path.split("/")[2:5]
    template, context = pages[name]
    with translation.override(language):
        return render_to_string(template, context(theme=theme, language=language))


def window(width: int) -> dict[str, int]:
    """Return the size of a window of a width."""
    return {"width": width, "height": 900 if width > 500 else 760}


@contextmanager
def served(pages: dict[str, Page]) -> Iterator[str]:
    """Serve the pages for the length of a block; give the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Answers, partial(render_path, pages)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


def width_left_over(page: Any) -> int:
    """Return by how much a page is wider than its window; one that was just made narrower is given two frames to follow."""
    ask = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    wide: int = page.evaluate(ask)
    if wide > 0:
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        wide = page.evaluate(ask)
    return wide


class Photographer:
    """Opens pages, photographs them and collects complaints. Without a folder it only looks."""

    def __init__(self, browser: Any, address: str, out: Path | None) -> None:
        self.browser, self.address, self.out = browser, address, out
        self.complaints: list[str] = []
        self.shot = ""
        self.pages: dict[tuple[int, str], Any] = {}
        self.next_looks = [PHONE, DESK]
        self.known: dict[tuple[int, str], set[str]] = {}

    def page_of(self, width: int, theme: str) -> Any:
        """Return the browser's page of a width and a theme; it is used again and again."""
        if (width, theme) not in self.pages:
            context = self.browser.new_context(
                viewport=window(width), color_scheme=theme, reduced_motion="reduce"
            )
            from tools.gallery import axe  # local: optional

            axe.prepare(context)
            page = context.new_page()
            page.on("console", self.hear)
            page.on("pageerror", lambda error: self.complain(str(error)))
            self.pages[width, theme] = page
        return self.pages[width, theme]

    def open(self, page: Any, name: str, language: str = "en") -> None:
        """Open a sample page."""
        page.goto(f"{self.address}/page/{name}/{language}/system")
        page.evaluate("document.fonts.ready")

    def take(
        self, name: str, *, width: int, theme: str, language: str = "en", with_axe: bool = False
    ) -> None:
        """Photograph one page."""
        self.shot = f"{name}-{width}-{theme}" + ("" if language == "en" else f"-{language}")
        page = self.page_of(width, theme)
        self.open(page, name, language)
        self.look(page, (width, theme), with_axe=with_axe)
        if self.out:
            page.wait_for_load_state("networkidle")
            page.screenshot(path=str(self.out / f"{self.shot}.png"), full_page=True)

    def check(self, name: str) -> None:
        """Look at one page on a phone by day, with axe, and at a desk by night.

        Every other page opens at the desk: the browser's page stays as it was for the one before.
        """
        page = self.page_of(*PHONE)
        for turn, (width, theme) in enumerate(self.next_looks):
            self.shot = f"{name}-{width}-{theme}"
            if turn:
                page.set_viewport_size(window(width))
                page.emulate_media(color_scheme=theme)
            else:
                self.open(page, name)
            self.look(page, (width, theme), with_axe=(width, theme) == PHONE)
        self.next_looks.reverse()

    def look(self, page: Any, place: tuple[int, str], *, with_axe: bool) -> None:
        """See whether a page fits into its window, and what axe says."""
        from tools.gallery import axe  # local: optional

        wide = width_left_over(page)
        if wide > 0:
            self.complain(f"the page is {wide} px wider than its window")
        known = self.known.setdefault(place, set())
        for words in axe.violations(page, known=known) if with_axe else ():
            self.complain(words)

    def hear(self, line: Any) -> None:
        """Keep what the browser complains of; axe cannot look into a sandboxed frame and says so."""
        if line.type in ("error", "warning") and "postMessage" not in line.text:
            self.complain(line.text)

    def complain(self, words: str) -> None:
        """Keep what is wrong."""
        self.complaints.append(f"{self.shot}: {words}")


def asked_shots(asked: argparse.Namespace, names: Iterable[str]) -> list[dict[str, Any]]:
    """Return what the arguments ask for: the page, its width, its theme, its language."""
    choices = product(
        asked.pages or names, asked.widths.split(","), asked.themes.split(","), asked.languages.split(",")
    )
    return [
        {"name": n, "width": int(w), "theme": t, "language": lang, "with_axe": asked.axe}
        for n, w, t, lang in choices
    ]


def main() -> int:
    """Photograph what the arguments ask for."""
    given = argparse.ArgumentParser(description="Photograph the sample pages.")
    given.add_argument("out", type=Path, nargs="?")
    given.add_argument("pages", nargs="*")
    given.add_argument("--widths", default="360,768,1440")
    given.add_argument("--themes", default="light,dark")
    given.add_argument("--languages", default="en")
    given.add_argument("--axe", action="store_true")
    given.add_argument("--check", action="store_true")
    asked = given.parse_args()
    configure()
    from playwright.sync_api import sync_playwright  # local: optional

    from tools import ensure_chromium  # local: start
    from tools.gallery.pages import PAGES  # local: django

    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
    with served(PAGES) as address, sync_playwright() as player:
        browser = player.chromium.launch(executable_path=ensure_chromium.find(), args=list(ARGS))
        photographer = Photographer(browser, address, asked.out)
        if asked.check:
            for name in PAGES:
                photographer.check(name)
        else:
            for shot in asked_shots(asked, PAGES):
                photographer.take(**shot)
        browser.close()
    print("\n".join(photographer.complaints) or "Nothing to complain about.")
    return 1 if photographer.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
