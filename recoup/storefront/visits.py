"""A link that was followed: the shop, the order, cart or person, and the language to answer in."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from recoup.core.links import LinkUnknown
from recoup.core.models import Link
from recoup.customers.models import Contact
from recoup.orders.models import Cart, Order
from recoup.shops.models import Shop


@dataclass(frozen=True, slots=True)
class Visit:
    """A link that was followed."""

    link: Link
    token: str
    shop: Shop
    about: Order | Cart | Contact
    now: datetime

    @property
    def address(self) -> str:
        """Return the path of the page, for its form."""
        return f"/{self.link.purpose}/{self.token}"

    @property
    def contact(self) -> Contact | None:
        """Return the person that the link is about, or whose order or cart it is."""
        return self.about if isinstance(self.about, Contact) else self.about.contact

    @property
    def subject(self) -> Order | Cart:
        """Return the order or cart that the link is about.

        :raises LinkUnknown: if it is about a person alone.
        """
        if isinstance(self.about, Contact):
            raise LinkUnknown
        return self.about

    @property
    def order(self) -> Order:
        """Return the order that the link is about.

        :raises LinkUnknown: if it is about a cart or a person.
        """
        if not isinstance(self.about, Order):
            raise LinkUnknown
        return self.about


def language_of(locale: str, shop: Shop) -> str:
    """Return the language of buyers' pages: that frozen on the order, else the shop's, else English."""
    known = {code for code, _ in settings.LANGUAGES}
    for name in (locale, shop.locale):
        language = name.replace("_", "-").split("-")[0].lower()
        if language in known:
            return language
    return "en"
