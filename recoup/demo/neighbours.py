"""Who is outside: a foreign shop that signs and posts its news, and buyers who follow links and fill in forms."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from recoup.core.clock import real_now
from recoup.demo.models import CaughtMail
from recoup.demo.people import Good
from recoup.integrations.generic.webhook import sign
from recoup.shops.models import Source

LOCKER = {
    "method": "inpost_locker",
    "title": "InPost Paczkomat 24/7",
    "point": {"id": "KRA214M", "address": "ul. Królewska 65, 30-081 Kraków"},
}


class StrangerSurprised(Exception):
    """The product answered a shop or a buyer in a way that a person would not understand."""


@dataclass(slots=True)
class Buyer:
    """A person with an address."""

    name: str
    email: str
    locale: str
    country: str
    time_zone: str
    address: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the buyer as the webhook tells them."""
        return {
            "name": self.name,
            "email": self.email,
            "locale": self.locale,
            "country": self.country,
            "time_zone": self.time_zone,
            "address": self.address,
        }


@dataclass(slots=True)
class ForeignShop:
    """A shop that reports its orders by the generic webhook."""

    client: httpx.Client
    url: str
    source: Source
    calls: int = 0

    def tell(self, kind: str, data: dict[str, Any]) -> None:
        """Post one signed event.

        :raises StrangerSurprised: if it is not taken.
        """
        self.calls += 1
        at = real_now()
        raw = json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data}).encode()
        headers = sign(self.source.secret, f"story_{self.source.key}_{self.calls}", at, raw)
        answer = self.client.post(
            f"{self.url}/hooks/{self.source.key}",
            content=raw,
            headers={**headers, "content-type": "application/json"},
        )
        if answer.status_code not in {200, 202}:
            raise StrangerSurprised(f"{kind}: {answer.status_code} {answer.text[:300]}")


def order_json(
    number: str, buyer: Buyer, goods: list[Good], *, at: datetime, status: str = "pending", **more: Any
) -> dict[str, Any]:
    """Return an order as the webhook tells it."""
    total = sum((good.price for good in goods), Decimal(0))
    return {
        "id": number,
        "number": number,
        "status": status,
        "currency": "PLN",
        "total": str(total),
        "placed_at": at.isoformat(),
        "updated_at": at.isoformat(),
        "customer": buyer.as_json(),
        "items": [
            {"product_id": good.ref, "name": good.name, "quantity": 1, "unit_price": str(good.price)}
            for good in goods
        ],
        "payment_method": "card",
        "payment_method_title": "Karta",
        "locale": buyer.locale,
        **({"delivery": LOCKER} if buyer.country == "PL" else {}),
        **more,
    }


def cart_json(number: str, buyer: Buyer, goods: list[Good], *, at: datetime) -> dict[str, Any]:
    """Return a cart as the webhook tells it; its person has agreed to mails about what they leave."""
    total = sum((good.price for good in goods), Decimal(0))
    agreed = {"consent": True, "at": at.isoformat(), "text": "Przypomnijcie mi o moim koszyku"}
    return {
        "id": number,
        "currency": "PLN",
        "total": str(total),
        "updated_at": at.isoformat(),
        "customer": {**buyer.as_json(), "marketing": agreed},
        "items": [
            {"product_id": good.ref, "name": good.name, "quantity": 1, "unit_price": str(good.price)}
            for good in goods
        ],
        "locale": buyer.locale,
    }


def mails_to(address: str) -> list[CaughtMail]:
    """Return what the mailbox has caught for an address, oldest first."""
    return list(CaughtMail.objects.filter(recipient__iexact=address).order_by("id"))


def links_in(mail: CaughtMail) -> list[str]:
    """Return the addresses in the text part of a mail, in order."""
    message = message_from_bytes(bytes(mail.content), policy=policy.default)
    part = message.get_body(preferencelist=("plain",))
    text = part.get_content() if part is not None else ""
    return [word.strip("<>().,") for word in text.split() if word.strip("<>().,").startswith("http")]


def link_for(mail: CaughtMail, purpose: str) -> str:
    """Return the link of a mail for one purpose.

    :raises StrangerSurprised: if there is none.
    """
    for link in links_in(mail):
        if urlsplit(link).path.startswith(f"/{purpose}/"):
            return link
    raise StrangerSurprised(f"no /{purpose}/ link in the mail to {mail.recipient}")


class _Forms(HTMLParser):
    """Finds the forms of a page: where they post to, and what they post if a person changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._is_open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect one element."""
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and values.get("method", "").lower() == "post":
            self.forms.append((values.get("action", ""), {}))
            self._is_open = True
        elif tag in {"input", "button"} and self._is_open and values.get("name"):
            fields = self.forms[-1][1]
            kind = values.get("type", "")
            if kind == "radio" and "checked" not in values and values["name"] in fields:
                return
            if kind == "checkbox":
                fields[values["name"]] = values.get("value") or "on"
            elif kind in {"submit", ""} and tag == "button":
                fields.setdefault(values["name"], values.get("value", ""))
            else:
                fields[values["name"]] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """Notice the end of a form."""
        if tag == "form":
            self._is_open = False


def press_button(
    client: httpx.Client, page: httpx.Response, *, where: int = 0, **chosen: str
) -> httpx.Response:
    """Send a form of a page as a browser without JavaScript would, ticking every box; return the page that follows.

    :raises StrangerSurprised: if the page has no such form, or the answer is not a page that a buyer goes on with.
    """
    parser = _Forms()
    parser.feed(page.text)
    if len(parser.forms) <= where:
        raise StrangerSurprised(f"no button on {page.url}: {page.status_code}")
    action, fields = parser.forms[where]
    answer = client.post(
        urljoin(str(page.url), action), data={**fields, **chosen}, headers={"origin": origin_of(page)}
    )
    if answer.is_error:
        raise StrangerSurprised(f"{page.url} answers {answer.status_code}")
    return answer


def origin_of(page: httpx.Response) -> str:
    """Return the origin of a page."""
    return f"{page.url.scheme}://{page.url.netloc.decode()}"
