"""Texts that travel in a file from one shop to another: what is written out, and how it is taken in."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Literal

from django.db import IntegrityError, transaction
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from recoup.core.activity import Actor
from recoup.messaging.models import Template
from recoup.messaging.templates import DraftText, add_template, publish, save_draft
from recoup.shops.models import Shop

LONGEST_BODY = 200_000
MOST_LOCALES = 12
_TRIES = 20

Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")]
TextKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,59}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CarriedWords(_Strict):
    """A text in one language, as its author wrote it: MJML and Liquid, nothing compiled."""

    subject: Annotated[str, StringConstraints(max_length=1000)] = ""
    preheader: Annotated[str, StringConstraints(max_length=1000)] = ""
    body: Annotated[str, StringConstraints(max_length=LONGEST_BODY)] = ""
    text: Annotated[str, StringConstraints(max_length=LONGEST_BODY)] = ""


class CarriedText(_Strict):
    """A text in all its languages."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    kind: Literal["order", "cart", "customer"]
    channel: Literal["email", "sms"] = "email"
    words: Annotated[dict[Locale, CarriedWords], Field(min_length=1, max_length=MOST_LOCALES)]


class NoFreeKey(Exception):
    """Every name near the wanted one is taken."""


def carried_texts(shop: Shop, keys: Collection[str]) -> dict[str, CarriedText]:
    """Return the published texts of these keys, to be written to a file; what is not published is left out."""
    found = Template.objects.filter(shop=shop, key__in=keys, current_version__isnull=False)
    return {one.key: _carried(one) for one in found.select_related("current_version").order_by("key")}


def _carried(template: Template) -> CarriedText:
    assert template.current_version is not None
    fields = CarriedWords.model_fields
    return CarriedText(
        name=template.name,
        kind=template.kind,
        channel=template.channel,
        words={
            locale: CarriedWords(**{name: text.get(name, "") for name in fields})
            for locale, text in template.current_version.texts.items()
        },
    )


def is_same(shop: Shop, key: str, carried: CarriedText) -> bool:
    """Tell whether the shop has this very text under this very key, whatever it is called."""
    own = carried_texts(shop, [key]).get(key)
    return own is not None and own.model_copy(update={"name": carried.name}) == carried


def take_in(
    shop: Shop, key: str, carried: CarriedText, *, actor: Actor, now: datetime, is_published: bool = True
) -> Template:
    """Make a text of the shop from one of a file, under its key or the next free one; none that is there is changed.

    It is published, which sends nothing, unless `is_published` says no: then it is left as a draft.

    :raises TemplateNotPublishable: with the problems of each language, or if the shop's own has no text; nothing is made.
    :raises NoFreeKey: if there are too many of this name.
    """
    draft = {locale: DraftText(**words.model_dump()) for locale, words in carried.words.items()}
    with transaction.atomic():
        template = _add(shop, key, carried)
        template = save_draft(template, draft, expected_lock=template.draft_lock, now=now, actor=actor)
        if is_published:
            publish(template, expected_lock=template.draft_lock, now=now, actor=actor)
    return template


def _add(shop: Shop, key: str, carried: CarriedText) -> Template:
    for number in range(1, _TRIES + 1):
        suffix = f"_{number}" if number > 1 else ""
        try:
            with transaction.atomic():
                template = add_template(
                    shop, key=key[: 60 - len(suffix)] + suffix, name=carried.name, kind=carried.kind
                )
        except IntegrityError:
            continue
        if carried.channel != template.channel:
            template.channel = carried.channel
            template.save(update_fields=["channel"])
        return template
    raise NoFreeKey(key)
