"""Offers in the demo's past: a ready process that makes them, buyers who pay with them, and what a person makes by hand."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from recoup.accounts.models import User
from recoup.catalog.costs import set_cost
from recoup.catalog.models import Product
from recoup.core.activity import SYSTEM, Actor
from recoup.demo.stage import Stage
from recoup.messaging import templates
from recoup.offers.ending import withdraw
from recoup.offers.granting import OfferRefused, Wish, grant_by_hand, is_open
from recoup.offers.redeeming import find_applied, redeem
from recoup.offers.terms import Kind, Terms
from recoup.orders.models import Order
from recoup.payments import sessions
from recoup.payments.actions import Through, record_payment
from recoup.payments.sessions import Opening
from recoup.payments.ways import ways_to_pay
from recoup.processes import actions, drafts
from recoup.processes.files import sent_texts
from recoup.processes.graph.validation import load_process
from recoup.processes.models import Process
from recoup.processes.shipped import shipped_process
from recoup.shops.models import Shop
from recoup.shops.snapshots import AttemptState, PaymentSnapshot

READY = "unpaid_order_offer"
TEXT = "order_offer"
TAKES_IT = 0.4  # how many of those who got the mail with the offer pay with it
_LEAST = 250  # orders from this sum on get the process with the discount; enough are left to tell what the other brings


def begin_offers(shop: Shop, *, holdout_bp: int, now: datetime) -> None:
    """Let large orders go through the ready process with a discount, and the others through the one they went through."""
    unpaid = Process.objects.get(shop=shop, key="unpaid_order")
    actions.publish(unpaid, load_process(_with_sum("unpaid_order", "<")), actor=SYSTEM, now=now)
    start = _with_sum(READY, ">=")
    templates.install_shipped(shop, now=now, keys=sorted(sent_texts(start)))
    process = drafts.create_process(shop, name=start["name"], start=start, actor=SYSTEM, now=now)
    Process.objects.filter(pk=process.pk).update(salt=process.pk, holdout_bp=holdout_bp)
    process.refresh_from_db()
    actions.publish(process, load_process(start), actor=SYSTEM, now=now)
    process.refresh_from_db()
    actions.set_status(process, Process.Status.LIVE, actor=SYSTEM, now=now)


def _with_sum(key: str, op: str) -> dict[str, Any]:
    start = shipped_process(key).as_json()
    total = {"f": "order.total", "op": op, "v": _LEAST}
    start["entry"]["if"] = {"all": [start["entry"]["if"], total]}
    for example in start["examples"]:  # the people of its examples order enough to enter
        example["order"] = {"total": str(_LEAST - 1 if op == "<" else _LEAST), **example.get("order", {})}
    return start


def know_costs(shop: Shop, costs: dict[str, Decimal], *, now: datetime) -> None:
    """Let the owner enter what some goods cost."""
    owner = Actor("person", User.objects.order_by("id").values_list("pk", flat=True)[0])
    for product in Product.objects.filter(shop=shop, ref__in=costs).order_by("id"):
        set_cost(product, costs[product.ref], actor=owner, now=now)


def pay_with_offer(scenery: Stage, order: Order, at: datetime, *, message_id: int) -> bool:
    """Let a buyer pay an order with what was offered to them; tell whether there was anything."""
    found: list[Decimal] = []

    def agree(locked: Order) -> Decimal:
        applied = find_applied(locked, now=at)
        if applied is None:
            return Decimal(0)
        redeem(locked, applied, now=at)
        found.append(applied.discount)
        return applied.discount

    ways = ways_to_pay(order, order.total).ways
    if not ways or find_applied(order, now=at) is None:
        return False
    opening = Opening(ways[0], "", "", order.locale, order.number, message_id=message_id, agree=agree)
    with transaction.atomic():
        attempt, _is_new = sessions.reserve(order, opening, now=at)
        record_payment(
            order,
            PaymentSnapshot(
                ref=attempt.ref, state=AttemptState.SUCCEEDED, amount=attempt.amount, currency=order.currency, at=at,
                operator="demobank", method=order.method,
            ),
            now=at,
            through=Through(operator_account=scenery.bank, message_id=message_id),
        )  # fmt: skip
    return bool(found)


def leave_offers(scenery: Stage, *, now: datetime) -> None:
    """Leave what people have done by hand lately: an offer withdrawn, one about an order, one for whatever comes next."""
    shop = scenery.shop
    owner = Actor("person", User.objects.order_by("id").values_list("pk", flat=True)[0])
    owed = Order.objects.filter(shop=shop, status=Order.Status.UNPAID, contact__isnull=False)
    about = [one for one in owed.order_by("-placed_at")[1:20] if is_open(one)][:2]
    loyal = Order.objects.filter(shop=shop, payment_state="paid").order_by("-total", "id").first()
    ten, days = Terms(Kind.PERCENT, percent=Decimal(10), currency=shop.currency), timedelta(days=3)
    wishes = [
        Wish(shop.pk, one.contact_id, ten, now + days, order_id=one.pk) for one in about if one.contact_id
    ]
    if loyal is not None and loyal.contact_id is not None:
        wishes.append(Wish(shop.pk, loyal.contact_id, ten, now + 4 * days, is_for_person=True))
    made = []
    for wish in wishes:
        try:
            made.append(grant_by_hand(wish, actor=owner, now=now - timedelta(minutes=90)))
        except OfferRefused:
            continue
    if made:
        withdraw(
            made[0], note="Zamówienie odwołane telefonicznie.", actor=owner, now=now - timedelta(hours=1)
        )
