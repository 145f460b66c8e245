"""Lists whose filters, sorting and place stand in their address, so that a view can be sent to a colleague."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.core import humane
from recoup.core.paging import Count, Page
from recoup.web.parts import FilterMenu, Link, Pager, Words

_PLACE = ("c", "n")  # the cursor, and the wish to count exactly: they end with every other filter
_MOST_SIGNS = 200
_LONGEST_ID = 18


class Address:
    """The address of a list: what it asks for, and the addresses of its neighbours."""

    def __init__(self, request: HttpRequest) -> None:
        self.path = request.path
        self.given: dict[str, str] = {
            key: str(value)[:_MOST_SIGNS] for key, value in request.GET.items() if value
        }

    def get(self, key: str, default: str = "") -> str:
        """Return what was asked for."""
        return self.given.get(key, default)

    def one_of(self, key: str, known: Iterable[str]) -> str:
        """Return what was asked for if there is such a thing."""
        value = self.get(key)
        return value if value in known else ""

    def some_of(self, key: str, known: Iterable[str]) -> tuple[str, ...]:
        """Return those things of a list with commas between them that there are."""
        asked = set(self.get(key).split(","))
        return tuple(value for value in known if value in asked)

    def number(self, key: str) -> int | None:
        """Return a whole number that was asked for."""
        value = self.get(key)
        return int(value) if value.isdecimal() and len(value) <= _LONGEST_ID else None

    def instant(self, key: str) -> datetime | None:
        """Return an instant (`2026-11-02T12:00:00+00:00`), or the beginning of a day (`2026-11-02`) in the shop."""
        value = self.get(key).replace(" ", "+")
        try:
            if len(value) == len("2026-11-02"):
                return timezone.make_aware(datetime.combine(date.fromisoformat(value), time()))
            at = datetime.fromisoformat(value)
        except (ValueError, OverflowError):
            return None
        return at if at.tzinfo is not None else None

    def url(self, **changes: str) -> str:
        """Return the address with some things changed, from its first page on; an empty text takes a thing away."""
        kept = {key: value for key, value in self.given.items() if key not in _PLACE}
        asked = {key: value for key, value in {**kept, **changes}.items() if value}
        return f"{self.path}?{urlencode(asked)}" if asked else self.path

    def has_any(self, *keys: str) -> bool:
        """Tell whether anything of this is set."""
        return any(self.get(key) for key in keys)


def with_query(path: str, values: Mapping[str, Any]) -> str:
    """Return an address with a query; what is empty is left out."""
    asked = {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in values.items()
        if value not in (None, "")
    }
    return f"{path}?{urlencode(asked)}" if asked else path


def shown_count(count: Count) -> str:
    """Write a count: "1,240", or "10,000+" when there are more."""
    text = humane.number(count.number, get_language() or "en")
    return f"{text}+" if count.is_capped else text


def wants_exact(address: Address) -> int | None:
    """Return the limit of counting for `count_…` of a list: none when the person asked for the exact number."""
    return None if address.get("n") == "all" else 10_000


def pager(address: Address, page: Page[Any], count: Count, words: Callable[[int, str], str]) -> Pager:
    """Return the foot of a list. `words` gets the number and how it is written."""
    return Pager(
        words(count.number, shown_count(count)),
        address.url(c=page.newer) if page.newer else "",
        address.url(c=page.older) if page.older else "",
        address.url(n="all", c=address.get("c")) if count.is_capped else "",
    )


def menu(
    address: Address, key: str, label: Words, options: Sequence[tuple[str, Words]], *, chosen: str = ""
) -> FilterMenu:
    """Return a chip that opens a list of values."""
    asked = chosen or address.get(key)
    words = dict(options)
    return FilterMenu(
        label,
        [Link(word, address.url(**{key: value}), value == asked) for value, word in options],
        str(words.get(asked, "")),
        address.url(**{key: ""}) if asked else "",
    )


def period_menu(address: Address, label: Words, now: datetime) -> FilterMenu:
    """Return a chip of the usual periods, ending now. An own period stands in the address as `from` and `to`."""
    today = timezone.localtime(now).date()
    days = [
        (today, _("Today")),
        (today - timedelta(days=6), _("Last 7 days")),
        (today - timedelta(days=29), _("Last 30 days")),
        (today.replace(month=1, day=1), _("This year")),
    ]
    asked, until = address.get("from"), address.get("to")
    word = next((str(word) for day, word in days if day.isoformat() == asked and not until), "")
    return FilterMenu(
        label,
        [
            Link(word, address.url(**{"from": day.isoformat(), "to": ""}), day.isoformat() == asked)
            for day, word in days
        ],
        word or period_words(address),
        address.url(**{"from": "", "to": ""}) if asked or until else "",
    )


def period_words(address: Address) -> str:
    """Write the own period of an address: "2 Nov 2026 – 8 Nov 2026"."""
    since, until = address.instant("from"), address.instant("to")
    if since is None and until is None:
        return ""
    zone, language = timezone.get_current_timezone(), get_language() or "en"
    first = humane.day(since, zone, language) if since else ""
    last = humane.day(until - timedelta(microseconds=1), zone, language) if until else ""
    return f"{first} – {last}".strip() if first != last else first


def text_menu(address: Address) -> list[FilterMenu]:
    """Return the chip of a search within a list, only when there is one."""
    text = address.get("q")
    return [FilterMenu(_("Search"), [], f"“{text}”", address.url(q=""))] if text else []


def person_menu(address: Address, name: str) -> list[FilterMenu]:
    """Return the chip of a list that shows one person's rows, only when it does."""
    return [FilterMenu(_("Customer"), [], name, address.url(person=""))] if name else []


def is_first_visit(request: HttpRequest, place: str) -> bool:
    """Tell whether the person sees a place for the first time since they signed in."""
    known: list[str] = request.session.get("places", [])
    if place in known:
        return False
    request.session["places"] = [*known, place]
    return True
