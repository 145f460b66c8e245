"""What stands around every staff page: places, shops, the person, the demo's clock."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the rail. `key` is also the name of its address and, with g before it, its shortcut."""

    key: str
    label: Promise | str
    icon: str
    shortcut: str


PLACES = (
    Place("home", _("Home"), "house", "h"),
    Place("orders", _("Orders"), "package", "o"),
    Place("recovery", _("Recovery"), "hand-coins", "r"),
    Place("tasks", _("Tasks"), "list-checks", "t"),
    Place("customers", _("Customers"), "users-round", "c"),
    Place("processes", _("Processes"), "workflow", "p"),
    Place("offers", _("Offers"), "badge-percent", "f"),
    Place("messages", _("Messages"), "mail", "m"),
    Place("reports", _("Reports"), "chart-column", "e"),
    Place("settings", _("Settings"), "settings", "s"),
)
_THUMB_PLACES = 4  # a phone's bottom bar has room for four and "More"


@dataclass(frozen=True, slots=True)
class NavItem:
    """A place as this person sees it: its address, how many rows wait there, whether one is there now."""

    place: Place
    url: str
    is_current: bool = False
    count: str = ""


@dataclass(frozen=True, slots=True)
class ShopChoice:
    """A shop that this person may switch to; `url` is a GET address."""

    name: str
    url: str
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in, and how they like it."""

    name: str
    email: str
    role: str
    language: str
    theme: str = "system"  # or light, dark


@dataclass(frozen=True, slots=True)
class DemoClock:
    """The demo's clock; `advance_url` takes a POST with `minutes`."""

    now: datetime
    advance_url: str
    mailbox_url: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A line above every page that stays until its cause is gone: no SMTP, test mode, a silenced copy."""

    text: Promise | str
    tone: str = "due"
    icon: str = "triangle-alert"
    action_label: Promise | str = ""
    action_url: str = ""
    is_setup: bool = False  # a step before the first reminder: Home lists these itself


@dataclass(frozen=True, slots=True)
class Shell:
    """All that `web/base.html` reads, as the context variable `shell`."""

    nav: list[NavItem]
    shops: list[ShopChoice]
    person: Person
    search_url: str
    preferences_url: str  # POST: language, theme, next
    sign_out_url: str  # POST
    account_url: str = ""
    new_shop_url: str = ""
    languages: list[tuple[str, str]] = field(default_factory=list)
    demo: DemoClock | None = None
    notices: list[Notice] = field(default_factory=list)

    @property
    def shop(self) -> ShopChoice | None:
        """Return the shop that one is in."""
        return next((shop for shop in self.shops if shop.is_current), None)

    @property
    def main_nav(self) -> list[NavItem]:
        """Return the entries above the line: all but the settings."""
        return [item for item in self.nav if item.place.key != "settings"]

    @property
    def foot_nav(self) -> list[NavItem]:
        """Return the entries at the foot of the rail."""
        return [item for item in self.nav if item.place.key == "settings"]

    @property
    def thumb_nav(self) -> list[NavItem]:
        """Return the entries in reach of a thumb on a phone."""
        return self.nav[:_THUMB_PLACES]

    @property
    def more_nav(self) -> list[NavItem]:
        """Return the entries behind "More" on a phone."""
        return self.nav[_THUMB_PLACES:]


def nav_items(
    *,
    url_of: Callable[[str], str],
    path: str,
    allowed: Collection[str] | None = None,
    counts: Mapping[str, str] | None = None,
) -> list[NavItem]:
    """Return the rail for a person.

    `url_of("orders")` names an address, `allowed` holds the keys that they may open.
    """
    places = [place for place in PLACES if allowed is None or place.key in allowed]
    urls = {place.key: url_of(place.key) for place in places}
    current = next((key for key, url in urls.items() if path == url), "")
    if not current:
        # A place that holds the others (Home at the shop's root) is current on its own page only.
        ends = [key for key, url in urls.items() if not _holds_another(url, urls.values())]
        current = next((key for key in ends if path.startswith(urls[key].rstrip("/") + "/")), "")
    known = counts or {}
    return [
        NavItem(place, urls[place.key], place.key == current, known.get(place.key, "")) for place in places
    ]


def _holds_another(url: str, urls: Iterable[str]) -> bool:
    return any(other != url and other.startswith(url) for other in urls)


def initials(name: str) -> str:
    """Return the one or two letters that stand for a name."""
    words = [word for word in name.replace("@", " ").split() if word]
    ends = words if len(words) == 1 else words[:1] + words[-1:]
    return "".join(word[0] for word in ends).upper()
