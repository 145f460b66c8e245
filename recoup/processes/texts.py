"""The texts that a shop has published, as the documents of processes may name them."""

from recoup.messaging.models import Template
from recoup.processes.graph.validation import TextOffer
from recoup.shops.models import Shop

_ABOUT: dict[str, str] = {
    Template.Kind.ORDER: "order",
    Template.Kind.CART: "cart",
    Template.Kind.CUSTOMER: "contact",
}


def template_keys(shop: Shop) -> set[str]:
    """Return the keys of the texts that can be sent: those that are published."""
    found = Template.objects.filter(shop=shop, current_version__isnull=False)
    return set(found.values_list("key", flat=True))


def text_offers(shop: Shop) -> dict[str, TextOffer]:
    """Return the texts that can be sent, by key: channel, languages of the shop's messages they lack, subject."""
    found = Template.objects.filter(shop=shop, current_version__isnull=False).select_related(
        "current_version"
    )
    wanted = shop.message_locales
    return {
        one.key: TextOffer(
            one.channel,
            tuple(
                locale
                for locale in wanted
                if one.current_version is not None and locale not in one.current_version.texts
            ),
            _ABOUT[one.kind],
        )
        for one in found
    }
