"""Tags of people: short words by which a shop sorts its customers, set by staff and by processes (J3)."""

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from recoup.core import activity, outbox
from recoup.core.activity import Actor
from recoup.customers.events import TagsChanged
from recoup.customers.models import Contact, ContactTag, Tag

LONGEST = 40
MOST_AT_ONCE = 20


class TagRefused(Exception):
    """No tag: `code` is `empty`, `too_long`, `with_comma` or `too_many`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class TagChange:
    """What one person is to be tagged by and not any more. `chain` is that of the enrolment that asks; see `TagsChanged`."""

    shop_id: int
    contact_id: int
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    actor: Actor = activity.SYSTEM
    chain: int = 0


def clean_tag(text: str) -> str:
    """Return a tag as it is shown: without spaces around it and with single ones inside.

    :raises TagRefused: if it is none.
    """
    tag = " ".join(unicodedata.normalize("NFKC", text).split())
    if not tag:
        raise TagRefused("empty")
    if len(tag) > LONGEST:
        raise TagRefused("too_long")
    if "," in tag or not tag.isprintable():
        raise TagRefused("with_comma")
    return tag


def tag_key(text: str) -> str:
    """Return what makes two tags the same: `VIP`, `vip` and ` Vip ` are one."""
    return clean_tag(text).casefold()


def read_tags(text: str) -> tuple[str, ...]:
    """Read tags that a person typed, parted by commas; the same one twice is one.

    :raises TagRefused: if one of them is none, or there are too many.
    """
    found: dict[str, str] = {}
    for part in text.split(","):
        if part.strip():
            found.setdefault(tag_key(part), clean_tag(part))
    if len(found) > MOST_AT_ONCE:
        raise TagRefused("too_many")
    return tuple(found.values())


_TAGS = """
    INSERT INTO customers_tag (shop_id, name, key, made_at)
    SELECT w.shop_id, min(w.name), w.key, %s
    FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS w (shop_id, name, key)
    GROUP BY w.shop_id, w.key ORDER BY w.shop_id, w.key ON CONFLICT DO NOTHING
"""
# Somebody who was merged meanwhile is the one who stays; whose data was erased, nothing more is noted of.
_ADD = """
    INSERT INTO customers_contacttag (shop_id, contact_id, tag_id, added_at, added_kind, added_by)
    SELECT DISTINCT ON (2, 3) w.shop_id, coalesce(c.merged_into_id, c.id), t.id, %s::timestamptz, w.kind, w.by
    FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bigint[])
        AS w (shop_id, contact_id, key, kind, by)
    JOIN customers_tag t ON t.shop_id = w.shop_id AND t.key = w.key
    JOIN customers_contact c ON c.id = w.contact_id AND c.shop_id = w.shop_id AND c.erased_at IS NULL
    ORDER BY 2, 3
    ON CONFLICT DO NOTHING RETURNING shop_id, contact_id, tag_id
"""
_REMOVE = """
    DELETE FROM customers_contacttag r
    USING unnest(%s::bigint[], %s::bigint[], %s::text[]) AS w (shop_id, contact_id, key)
    JOIN customers_tag t ON t.shop_id = w.shop_id AND t.key = w.key
    JOIN customers_contact c ON c.id = w.contact_id AND c.shop_id = w.shop_id
    WHERE r.contact_id = coalesce(c.merged_into_id, c.id) AND r.tag_id = t.id
    RETURNING r.shop_id, r.contact_id, r.tag_id
"""


def change_tags(changes: Sequence[TagChange], *, now: datetime) -> int:
    """Tag people and take tags off, in a few statements; return how many tags were really set or taken off.

    A tag that nobody has used before comes into being. Setting one that somebody has, or taking off one they have not,
    changes nothing and is no news. Announces `TagsChanged` once for each person.
    """
    wanted = [(one, tag) for one in changes for tag in one.add]
    unwanted = [(one, tag) for one in changes for tag in one.remove]
    added: dict[tuple[int, int], list[int]] = defaultdict(list)
    removed: dict[tuple[int, int], list[int]] = defaultdict(list)
    with transaction.atomic(), connection.cursor() as cursor:
        if wanted:
            shops, keys = [one.shop_id for one, _ in wanted], [tag_key(tag) for _, tag in wanted]
            cursor.execute(_TAGS, [now, shops, [clean_tag(tag) for _, tag in wanted], keys])
            people = [one.contact_id for one, _ in wanted]
            actors = [one.actor for one, _ in wanted]
            kinds, ids = [actor.kind for actor in actors], [actor.id for actor in actors]
            cursor.execute(_ADD, [now, shops, people, keys, kinds, ids])
            for shop_id, contact_id, tag_id in cursor.fetchall():
                added[shop_id, contact_id].append(tag_id)
        if unwanted:
            shops, people = [one.shop_id for one, _ in unwanted], [one.contact_id for one, _ in unwanted]
            cursor.execute(_REMOVE, [shops, people, [tag_key(tag) for _, tag in unwanted]])
            for shop_id, contact_id, tag_id in cursor.fetchall():
                removed[shop_id, contact_id].append(tag_id)
        chains = {one.contact_id: one.chain for one in changes}
        outbox.announce(
            *[
                TagsChanged(
                    shop_id=shop_id,
                    contact_id=contact_id,
                    added=tuple(added.get((shop_id, contact_id), ())),
                    removed=tuple(removed.get((shop_id, contact_id), ())),
                    at=now,
                    chain=chains.get(contact_id, 0),
                )
                for shop_id, contact_id in sorted(added.keys() | removed.keys())
            ]
        )
    return sum(map(len, (*added.values(), *removed.values())))


def tag_by_hand(
    contact: Contact, *, add: Sequence[str] = (), remove: Sequence[str] = (), actor: Actor, now: datetime
) -> int:
    """Tag a person or take tags off, as somebody of the staff decided; leaves a line in the person's history."""
    change = TagChange(contact.shop_id, contact.pk, tuple(add), tuple(remove), actor)
    with transaction.atomic():
        count = change_tags([change], now=now)
        if count:
            activity.record(
                "customers.contact.tagged",
                shop_id=contact.shop_id,
                subject=("contact", contact.pk),
                at=now,
                actor=actor,
                added=list(add),
                removed=list(remove),
            )
    return count


def tags_of(contact: Contact) -> list[ContactTag]:
    """Return the tags of a person, by name."""
    rows = ContactTag.objects.filter(shop_id=contact.shop_id, contact=contact).select_related("tag")
    return list(rows.order_by("tag__key"))


def tag_names(shop_id: int) -> list[str]:
    """Return every tag that a shop has used, by name."""
    return list(Tag.objects.filter(shop=shop_id).order_by("key").values_list("name", flat=True))
