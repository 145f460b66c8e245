"""The texts that a shop has published, as the documents of processes may name them, and where rules bar them."""

from collections.abc import Collection, Iterable

from recoup.core.clock import trade_now
from recoup.messaging.dayness import day_words_of_texts
from recoup.messaging.models import Template, TemplateVersion
from recoup.messaging.rendering.tokens import NEW_TOTAL
from recoup.messaging.rules.book import book_of
from recoup.messaging.rules.deciding import content_of, contents_of
from recoup.messaging.rules.reach import Saying, is_forbidden_everywhere
from recoup.processes.graph.texts_used import keys_of_texts
from recoup.processes.graph.validation import TextOffer
from recoup.processes.models import Process
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
    """Return the texts that can be sent, by key, with what may keep a process from sending them."""
    found = Template.objects.filter(shop=shop, current_version__isnull=False).select_related(
        "current_version"
    )
    wanted, book = shop.message_locales, book_of(shop.pk, now=trade_now())
    sayings = _sayings(found)
    return {
        one.key: TextOffer(
            one.channel,
            tuple(
                locale
                for locale in wanted
                if one.current_version is not None and locale not in one.current_version.texts
            ),
            _ABOUT[one.kind],
            sayings[one.key].content if is_forbidden_everywhere(book, sayings[one.key]) else "",
            _says_new_total(one.current_version),
        )
        for one in found
    }


def _says_new_total(version: TemplateVersion | None) -> bool:
    texts = version.texts.values() if version is not None and version.has_offer else ()
    return any(NEW_TOTAL in text["compiled"]["tokens"] for text in texts)


def sayings_of(shop: Shop, keys: Collection[str]) -> dict[str, Saying]:
    """Return what published texts say and about what, by key."""
    return _sayings(Template.objects.filter(shop=shop, key__in=keys, current_version__isnull=False))


def _sayings(texts: Iterable[Template]) -> dict[str, Saying]:
    contents = contents_of({one.current_version_id for one in texts if one.current_version_id is not None})
    return {
        one.key: Saying(one.kind, contents[one.current_version_id or 0], one.channel)
        for one in texts
        if one.current_version_id in contents
    }


def day_words_of(shop: Shop, keys: Collection[str]) -> dict[str, list[str]]:
    """Return the words of published texts that are true on the day of sending alone, by key; others are missing."""
    found = Template.objects.filter(shop=shop, key__in=keys, current_version__isnull=False)
    said = {
        one.key: day_words_of_texts(one.current_version.texts)
        for one in found.select_related("current_version")
        if one.current_version is not None
    }
    return {key: words for key, words in said.items() if words}


def draft_saying(template: Template) -> Saying:
    """Return what the draft of a text says and about what."""
    return Saying(template.kind, content_of(template.kind, template.draft), template.channel)


def running_users(template: Template) -> list[Process]:
    """Return the processes that send a text and are not stopped."""
    stopped = Process.Status.STOPPED
    found = Process.objects.filter(shop=template.shop_id, current_version__isnull=False).exclude(
        status=stopped
    )
    return [
        one
        for one in found.select_related("current_version").order_by("id")
        if one.current_version is not None
        and any(
            template.key in keys_of_texts(node)
            for node in one.current_version.doc["nodes"].values()
            if node["t"] == "send"
        )
    ]
