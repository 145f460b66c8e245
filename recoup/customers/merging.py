"""Two contacts that are one person, or are not: what a person decided about a suggestion (T42).

Lock order: the signs that people are recognised by < contact gates < order, cart < enrolment < message. Whoever recognises
somebody holds their signs until the end of the transaction, so nobody new comes to the contact that goes meanwhile.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q
from django_scopes import scope

from recoup.core import activity, outbox
from recoup.core.activity import Actor
from recoup.customers.actions import Consent, index, record_consent, touch_gates, wait_for_signs
from recoup.customers.events import CustomerMerged
from recoup.customers.models import (
    ConsentEvent,
    Contact,
    ContactGate,
    ContactIdentity,
    MergeSuggestion,
    Suppression,
)
from recoup.customers.queries import address_hash

# Whatever names a person, in the one lock order; a test finds what is missing here. Recovery cases follow the news.
FOLLOWING = (
    "orders_order",
    "orders_cart",
    "offers_offer",
    "processes_enrolment",
    "processes_turned_away",
    "processes_bulkskip",
    "messaging_message",
    "messaging_pagevisit",
    "desk_task",
    "customers_consentevent",
    "customers_contactidentity",
    "customers_contacttag",
)
_FILLED = ("name", "email", "phone", "locale", "time_zone", "country", "company")
_KEPT_HAND_OVERS = 16  # as many as a gate keeps for the caps
# A mailbox that does not exist says nothing about another one of the same person; all other reasons are theirs.
_OF_THE_PERSON = (
    Suppression.Reason.UNSUBSCRIBED,
    Suppression.Reason.COMPLAINED,
    Suppression.Reason.ERASED,
    Suppression.Reason.BY_HAND,
)
# Where messages go, and by which sign of a person.
_CHANNELS = (("email", ContactIdentity.Kind.EMAIL), ("sms", ContactIdentity.Kind.PHONE))
State = MergeSuggestion.State


class MergeRefused(Exception):
    """These two cannot be merged, or it was decided already. `reason` is a code; its words stand in `web.words`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


Follow = Callable[[int, int, int], None]  # the shop, who stays, who goes
_FOLLOWERS: list[Follow] = []


def also(follow: Follow) -> None:
    """Have something done in each merge, once its rows have moved: parts that lie above say here what must hold at once."""
    if follow not in _FOLLOWERS:
        _FOLLOWERS.append(follow)


def merge_contacts(kept: Contact, gone: Contact, *, actor: Actor, now: datetime) -> Contact:
    """Make one contact of two: all that is of `gone` becomes of `kept`, and `gone` leads to it from then on.

    What is empty in `kept` is filled. The stricter facts win: what either unsubscribed from, or took back, stays so for
    both addresses. Announces `CustomerMerged`, which brings the recovery cases. Not to be undone.

    :raises MergeRefused: `itself`, `merged` before, `told_apart` by a person, or one of them `erased`.
    """
    if kept.pk == gone.pk:
        raise MergeRefused("itself")
    if kept.shop_id != gone.shop_id:
        raise ValueError(f"contacts {kept.pk} and {gone.pk} are of two shops")
    pair = [kept.pk, gone.pk]
    with transaction.atomic(), scope(shop=kept.shop_id):
        _hold_signs_of(kept.shop_id, pair)
        touch_gates(pair)
        people = {one.pk: one for one in Contact.objects.filter(pk__in=pair)}
        kept, gone = people[kept.pk], people[gone.pk]
        _refuse_unless_free(kept, gone)
        _keep_strict(kept, gone, now)
        move_rows(kept.shop_id, kept.pk, gone_id=gone.pk)
        for follow in _FOLLOWERS:
            follow(kept.shop_id, kept.pk, gone.pk)
        _join_gates(kept, gone)
        _join(kept, gone)
        _settle_suggestions(kept, gone)
        activity.record(
            "customers.contact.merged",
            shop_id=kept.shop_id,
            subject=("contact", kept.pk),
            at=now,
            actor=actor,
            gone_id=gone.pk,
        )
        outbox.announce(CustomerMerged(shop_id=kept.shop_id, contact_id=kept.pk, gone_id=gone.pk, at=now))
    return kept


def tell_apart(suggestion: MergeSuggestion, *, actor: Actor, now: datetime) -> None:
    """Note that two contacts are two people: they are never suggested again.

    :raises MergeRefused: `decided`, if somebody decided it before.
    """
    with transaction.atomic():
        changed = MergeSuggestion.objects.filter(pk=suggestion.pk, state=State.OPEN).update(
            state=State.REFUSED
        )
        if not changed:
            raise MergeRefused("decided")
        both = (suggestion.first_id, suggestion.second_id)
        for one, other in (both, both[::-1]):
            activity.record(
                "customers.contact.told_apart",
                shop_id=suggestion.shop_id,
                subject=("contact", one),
                at=now,
                actor=actor,
                other_id=other,
            )


def move_rows(shop_id: int, contact_id: int, *, gone_id: int) -> None:
    """Give whatever names one contact to another, table by table in the lock order, each in key order."""
    with connection.cursor() as cursor:
        cursor.execute(  # a tag that both have is one
            "DELETE FROM customers_contacttag g USING customers_contacttag k"
            " WHERE g.shop_id = %s AND g.contact_id = %s AND k.contact_id = %s AND k.tag_id = g.tag_id",
            [shop_id, gone_id, contact_id],
        )
        for table in FOLLOWING:
            cursor.execute(
                f"WITH l AS (SELECT id FROM {table} WHERE shop_id = %s AND contact_id = %s"  # noqa: S608 - ours
                f" ORDER BY id FOR NO KEY UPDATE) UPDATE {table} r SET contact_id = %s FROM l WHERE r.id = l.id",
                [shop_id, gone_id, contact_id],
            )


def _hold_signs_of(shop_id: int, contact_ids: Collection[int]) -> None:
    """Wait for everybody who is recognising these people; again if they brought a new sign meanwhile."""
    held: set[tuple[str, str]] = set()
    while True:
        found = set(
            ContactIdentity.objects.filter(shop=shop_id, contact__in=contact_ids).values_list("kind", "value")
        )
        if found <= held:
            return
        wait_for_signs(shop_id, found - held)
        held |= found


def _refuse_unless_free(kept: Contact, gone: Contact) -> None:
    if kept.merged_into_id is not None or gone.merged_into_id is not None:
        raise MergeRefused("merged")
    if kept.erased_at is not None or gone.erased_at is not None:
        raise MergeRefused("erased")
    if MergeSuggestion.objects.filter(_pair(kept.pk, gone.pk), state=State.REFUSED).exists():
        raise MergeRefused("told_apart")


def _pair(one: int, other: int) -> Q:
    first, second = sorted((one, other))
    return Q(first=first, second=second)


def _keep_strict(kept: Contact, gone: Contact, now: datetime) -> None:
    """Let a consent taken back and a mailing ended by either hold for the one who stays."""
    taken_back = _taken_back(kept, gone, now)
    if taken_back:
        record_consent(kept, taken_back, now=now)
    for channel, kind in _CHANNELS:
        _keep_suppressed(kept, channel, _addresses(kind, kept, gone))


def _keep_suppressed(kept: Contact, channel: str, addresses: set[str]) -> None:
    """Let what one address of a channel is spared hold for all addresses that the person has in it."""
    hashes = {address_hash(kept.shop_id, channel, address) for address in addresses}
    found = Suppression.objects.filter(
        shop_id=kept.shop_id,
        channel=channel,
        address_hash__in=hashes,
        lifted_at=None,
        reason__in=_OF_THE_PERSON,
    ).order_by("since", "id")
    Suppression.objects.bulk_create(
        [
            Suppression(
                shop_id=kept.shop_id,
                channel=one.channel,
                address_hash=hashed,
                scope=one.scope,
                reason=one.reason,
                since=one.since,
            )
            for one in found
            for hashed in sorted(hashes)
        ],
        ignore_conflicts=True,
    )


def _addresses(kind: ContactIdentity.Kind, *contacts: Contact) -> set[str]:
    known = ContactIdentity.objects.filter(contact__in=contacts, kind=kind)
    is_email = kind == ContactIdentity.Kind.EMAIL
    own = (one.email if is_email else one.phone for one in contacts)
    return {*known.values_list("value", flat=True), *filter(None, own)}


def _taken_back(kept: Contact, gone: Contact, now: datetime) -> list[Consent]:
    """Return what one of them took back although the other's later word would give it."""
    last: dict[tuple[str, str], ConsentEvent] = {}
    of_each: dict[tuple[int, str, str], ConsentEvent] = {}
    for event in ConsentEvent.objects.filter(contact__in=[kept, gone]).order_by("became_true_at", "id"):
        last[event.purpose, event.channel] = event
        of_each[event.contact_id, event.purpose, event.channel] = event
    withdrawn = {(purpose, channel) for (_, purpose, channel), one in of_each.items() if not one.is_given}
    return [
        Consent(
            purpose=purpose,
            channel=channel,
            is_given=False,
            source="merged",
            at=max(now, last[purpose, channel].became_true_at),
        )
        for purpose, channel in sorted(withdrawn)
        if last[purpose, channel].is_given
    ]


def _join_gates(kept: Contact, gone: Contact) -> None:
    """Count for the caps what either was sent. The gate of the one who goes stays: a sender may hold it right now."""
    gates = ContactGate.objects.filter(contact__in=[kept, gone])
    recent = sorted({at for gate in gates for at in gate.recent})[-_KEPT_HAND_OVERS:]
    gates.update(recent=recent)


def _join(kept: Contact, gone: Contact) -> None:
    for field in _FILLED:
        setattr(kept, field, getattr(kept, field) or getattr(gone, field))
    kept.notes = "\n\n".join(dict.fromkeys(note for note in (kept.notes, gone.notes) if note))
    kept.first_seen_at = min(kept.first_seen_at, gone.first_seen_at)
    index(kept, gone.search)
    kept.save()
    Contact.objects.filter(Q(pk=gone.pk) | Q(merged_into=gone)).update(merged_into=kept)


def _settle_suggestions(kept: Contact, gone: Contact) -> None:
    """Close the suggestion of the two; those of the one who goes with others become those of the one who stays.

    What a person said of two people holds for whoever they were merged into.
    """
    MergeSuggestion.objects.filter(_pair(kept.pk, gone.pk)).update(state=State.MERGED)
    others = MergeSuggestion.objects.filter(Q(first=gone) | Q(second=gone)).exclude(state=State.MERGED)
    for one in others.order_by("id"):
        other_id = one.second_id if one.first_id == gone.pk else one.first_id
        known = MergeSuggestion.objects.filter(_pair(kept.pk, other_id))
        if known.exists():
            if one.state == State.REFUSED:
                known.filter(state=State.OPEN).update(state=State.REFUSED)
            one.delete()
        else:
            one.first_id, one.second_id = sorted((kept.pk, other_id))
            one.save(update_fields=["first", "second"])


def open_suggestions(contact: Contact, *, most: int) -> Iterable[MergeSuggestion]:
    """Return who may be the same person as a contact, until somebody decides it."""
    return (
        MergeSuggestion.objects.filter(Q(first=contact) | Q(second=contact), state=State.OPEN)
        .select_related("first", "second")
        .order_by("pk")[:most]
    )
