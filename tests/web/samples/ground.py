"""What every sample stands on: an instant, a shop, a person, the shell."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from recoup.core.money import Money
from recoup.web import parts, screens
from recoup.web.shell import DemoClock, Person, Shell, ShopChoice, nav_items

NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
LANGUAGES = [("en", "English"), ("pl", "Polski"), ("ru", "Русский"), ("de", "Deutsch")]
PEOPLE = (
    ("Maria Wiśniewska", "maria.wisniewska@example.com", "+48 601 234 567"),
    ("Иван Петров", "i.petrov@example.com", "+48 512 000 331"),
    ("Jürgen Groß", "juergen.gross@example.com", ""),
    ("Anna-Maria von der Heydebreck-Lasocka", "amvdh@example.com", "+49 151 2345678"),
    ("Tomasz Zieliński", "t.zielinski@example.com", "+48 698 111 222"),
    ("Zofia Kamińska", "zofia@example.com", ""),
    ("Piotr Lewandowski", "piotr.lew@example.com", "+48 725 333 444"),
    ("Katarzyna Wójcik", "kasia@example.com", "+48 600 999 000"),
)
STATES = (
    ("unpaid", "Unpaid", "failed", "Declined", "Card"),
    ("in_work", "In work", "owed", "Not paid", "Bank transfer"),
    ("completed", "Completed", "paid", "Paid", "BLIK"),
    ("awaiting_payment", "Awaiting payment", "owed", "Not paid", "Bank transfer"),
    ("new", "New", "owed", "Not paid", "Card"),
    ("unpaid", "Unpaid", "owed", "Left the bank's page", "BLIK"),
    ("not_confirmed", "Not confirmed", "owed", "Not paid", "On delivery"),
    ("completed", "Completed", "paid", "Paid", "Card"),
)
CRUMBS = {"orders": "Orders", "customers": "Customers", "processes": "Processes", "messages": "Messages"}


def ago(**span: float) -> datetime:
    """Return an instant before now."""
    return NOW - timedelta(**span)


def url_of(key: str) -> str:
    """Return the address of a place of the sample shop."""
    return f"/s/lumen/{key}/"


def shell(
    path: str = "/s/lumen/home/", *, theme: str = "system", language: str = "en", demo: bool = True
) -> Shell:
    """Return the shell of the sample shop's owner."""
    return Shell(
        nav=nav_items(url_of=url_of, path=path, counts={"orders": "128", "recovery": "34"}),
        shops=[
            ShopChoice("Lumen Candles", "/s/lumen/home/", is_current=True),
            ShopChoice("Kurs Fotografii", "/kurs/home/"),
        ],
        person=Person("Anna Kowalska", "anna@lumen.example", "Owner", language, theme),
        search_url="/s/lumen/search/",
        preferences_url="/preferences/",
        sign_out_url="/accounts/logout/",
        account_url="/accounts/2fa/",
        new_shop_url="/new/",
        languages=LANGUAGES,
        demo=DemoClock(NOW, "/demo/advance/", "/demo/mailbox/") if demo else None,
    )


def pln(amount: str) -> Money:
    """Return a sum in Polish money."""
    return Money(Decimal(amount), "PLN")


def base(path: str, **more: Any) -> dict[str, Any]:
    """Return the context of every page."""
    theme, language = more.pop("theme", "system"), more.pop("language", "en")
    return {"shell": shell(path, theme=theme, language=language), "now": NOW, "messages": [], **more}


def crumbs(key: str, name: str) -> list[parts.Link]:
    """Return the way back from a page."""
    return [parts.Link(CRUMBS[key], url_of(key)), parts.Link(name, "")]


def sort(*keys: str) -> dict[str, dict[str, str]]:
    """Return the heads that sort; the first is the one in force."""
    return {
        key: {"url": f"?o={key}", "direction": "" if index else "descending"}
        for index, key in enumerate(keys)
    }


def person(index: int = 0, warning: str = "") -> screens.PersonCard:
    """Return the card of a person."""
    name, email, phone = PEOPLE[index]
    return screens.PersonCard(
        name,
        "/s/lumen/customers/7/",
        email,
        phone,
        "Polish",
        "Customer since March 2024",
        4,
        [pln("1284.60")],
        warning,
    )
