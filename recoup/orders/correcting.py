"""What the buyer of an order corrects of their own data before it is paid."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from recoup.core import activity, search
from recoup.core.activity import Actor
from recoup.orders.models import Order
from recoup.orders.particulars import keep_particulars, kept_buyer
from recoup.shops.snapshots import DeliverySnapshot, InvoiceSnapshot, PersonSnapshot


@dataclass(frozen=True, slots=True)
class Correction:
    """The personal data of an order as they are to be; without a person, theirs stay as they are."""

    person: PersonSnapshot | None
    delivery: DeliverySnapshot
    invoice: InvoiceSnapshot


def correct_particulars(order: Order, correction: Correction, *, actor: Actor, now: datetime) -> list[str]:
    """Change the personal data of an order of ours; return the columns that changed. Nothing changed leaves no line.

    Neither the money nor the person of the order changes, so no reminder is begun or ended by it. The line in the history
    names the columns and none of the data. Another phone has a line of its own: what is said about the order goes there,
    and nothing that needs a consent, for whoever answers there has given none.
    """
    with transaction.atomic():
        locked = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
        person = correction.person
        buyer = locked.buyer if person is None else kept_buyer(person)
        changed = keep_particulars(
            locked, correction.delivery, correction.invoice, country=str(buyer.get("country") or ""), at=now
        )
        phone_before = str(locked.buyer.get("phone") or "")
        if buyer != locked.buyer:
            locked.buyer = buyer
            names = locked.lines.order_by("position").values_list("name", flat=True)[:10]
            locked.search = search.tokens(
                locked.number, str(buyer["name"]), str(buyer["email"]), str(buyer["phone"]), *names
            )
            changed += ["buyer", "search"]
        if not changed:
            return []
        is_other_phone = str(buyer.get("phone") or "") != phone_before
        locked.save(update_fields=changed)
        activity.record(
            "orders.order.corrected",
            shop_id=locked.shop_id,
            subject=("order", locked.pk),
            at=now,
            actor=actor,
            what=[name for name in changed if name != "search"],
        )
        if is_other_phone:
            activity.record(
                "orders.order.phone_corrected",
                shop_id=locked.shop_id,
                subject=("order", locked.pk),
                at=now,
                actor=actor,
            )
    order.refresh_from_db()
    return changed
