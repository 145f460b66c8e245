"""The demo's past: some weeks of a small shop, lived through by the real parts before the browser opens.

The clock is set back, then moved forward in steps; orders come in, the worker's steps run, the sender hands mails to the
mailbox, some buyers come back and pay. Nothing is written into tables by hand, so every number on every page has its rows.
"""

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Thread

import psycopg
from django.conf import settings
from django.db import connection
from django_scopes import scopes_disabled

from recoup.accounts.models import User
from recoup.catalog.actions import record_product
from recoup.config import worker
from recoup.core import attention
from recoup.core.activity import SYSTEM, Actor
from recoup.core.clock import real_now, trade_now, trade_offset
from recoup.core.installation import confirm_place, get_installation
from recoup.core.models import Heartbeat
from recoup.demo import bargains, stage
from recoup.demo.groups import keep_segments
from recoup.demo.mailbox import Mailbox, keeper
from recoup.demo.past import Plan, carts, older_plans, placed_again, plans
from recoup.demo.people import ENTERED, GOODS
from recoup.demo.telling import cart_as_told, order_as_told, report
from recoup.hooks import apply as intake
from recoup.integrations.smtp import own_mailbox
from recoup.messaging.models import MailAccount, Message
from recoup.messaging.sender.loop import Sender
from recoup.offers.models import OfferSettings
from recoup.orders.actions import amount_due
from recoup.orders.desk import claim_order
from recoup.orders.holds import pause_reminders
from recoup.orders.models import Order
from recoup.orders.queries import OWED_STATES
from recoup.payments.actions import Through, apply_order_snapshot, record_payment
from recoup.payments.models import OperatorAccount
from recoup.processes.actions import go_live
from recoup.shops.actions import NewShop
from recoup.shops.models import Shop
from recoup.shops.snapshots import (
    AttemptState,
    CartSnapshot,
    OrderSnapshot,
    PaymentSnapshot,
    ProductSnapshot,
    ShopState,
)
from recoup.storefront.controls import SAYS_PAID

DAYS = 21
STEP = timedelta(hours=6)
# Before these come weeks of which only the orders that were not paid at once are played, in longer steps: so many people
# does it take until what the reminders bring can be told. Three of ten are left alone, a tenth would take half a year.
OLDER_DAYS, OLDER_STEP = 49, timedelta(hours=12)
LEFT_ALONE_BP = 3000
BANK_PORT = 9100
# How many of those who got the first, second or third reminder pay because of it.
COMES_BACK = (0.11, 0.08, 0.05)
ORDERS_CART = 0.12  # the same of those who are reminded of a cart
LAWENDA = NewShop(
    name="Lawenda",
    currency="PLN",
    locale="pl",
    time_zone="Europe/Warsaw",
    country="PL",
    email="sklep@lawenda.example",
    phone="+48 12 345 67 89",
)
MARGIN = {"default_cost": Decimal(45), "fee": Decimal("1.5"), "returns": Decimal(6), "floor": Decimal(20)}
ADDRESS = "ul. Miodowa 5, 31-055 Kraków"


class NotTheDemo(Exception):
    """The demo's rows belong into no other database: run it by `recoup demo`."""


def start_demo(*, days: int = DAYS, tell: Callable[[str], None] = print) -> None:
    """Fill the demo's database unless it is filled already, and tell it where mailbox and bank listen this time.

    :raises NotTheDemo: if this process does not belong to the demo, or the database holds shops of real people.
    """
    if not settings.IS_DEMO:
        raise NotTheDemo
    bank_url = os.environ.get("RECOUP_DEMO_BANK_URL", f"http://127.0.0.1:{BANK_PORT}")
    with scopes_disabled():
        if Shop.objects.exists() and not get_installation().is_demo:
            raise NotTheDemo
        if not Shop.objects.exists():
            tell(
                "Making the demo shop: weeks of orders, mails and payments. This takes a minute or two, once."
            )
            _make_past(days, bank_url)
        elif trade_offset() < timedelta(
            0
        ):  # filling it was cut off: what there is is kept, the clock is put right
            _set_offset(timedelta(0))
        MailAccount.objects.update(port=own_mailbox.port())
        OperatorAccount.objects.filter(kind="demobank").update(base_url=bank_url)
        confirm_place(now=real_now())
    tell(f"Sign in as {stage.OWNER} with the password {stage.PASSWORD}")


def _make_past(days: int, bank_url: str) -> None:
    stage.mark_as_demo()
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")  # made-up weeks are worth no wait for the disk
    _set_offset(-timedelta(days=days + OLDER_DAYS))
    with _own_mailbox() as port:
        scenery = stage.make_shop(
            LAWENDA, mailbox_port=port, bank_url=bank_url, now=trade_now(), holdout_bp=LEFT_ALONE_BP
        )
        Shop.objects.filter(pk=scenery.shop.pk).update(address=ADDRESS)
        OfferSettings.objects.update_or_create(shop=scenery.shop, defaults=MARGIN)
        _Past(scenery, days).live_through()
    _set_offset(timedelta(0))
    Heartbeat.objects.all().delete()


def _set_offset(offset: timedelta) -> None:
    with connection.cursor() as cursor:
        seconds = offset.total_seconds()
        cursor.execute(
            "UPDATE core_installation SET trade_offset = make_interval(secs => %s) WHERE is_demo", [seconds]
        )


@contextmanager
def _own_mailbox() -> Iterator[int]:
    """Run the mailbox in a thread of this process while the past is made, and name it as the demo's own."""
    parts = connection.get_connection_params()
    wanted = {key: parts[key] for key in ("dbname", "host", "port", "user", "password") if parts.get(key)}
    port, loop = stage.free_port(), asyncio.new_event_loop()
    server = Mailbox(keeper(psycopg.conninfo.make_conninfo(**wanted)))
    task = loop.create_task(server.serve(port))
    thread = Thread(target=_serve, args=(loop, task), daemon=True)
    thread.start()
    stage.wait_for_port(port, name="mailbox")
    named = os.environ.get(own_mailbox.PORT_NAME)
    os.environ[own_mailbox.PORT_NAME] = str(port)
    try:
        yield port
    finally:
        del os.environ[own_mailbox.PORT_NAME]
        if named is not None:
            os.environ[own_mailbox.PORT_NAME] = named
        loop.call_soon_threadsafe(task.cancel)
        thread.join(10)


def _serve(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[None]") -> None:
    try:
        loop.run_until_complete(task)
    except asyncio.CancelledError:
        pass
    finally:
        loop.close()


class _Past:
    """The weeks, step by step."""

    def __init__(self, scenery: stage.Stage, days: int) -> None:
        self._scenery, self._days = scenery, days
        self._dice = random.Random(7)  # noqa: S311 - a demo, not a secret
        self._sender = Sender()
        self._decided: set[int] = set()
        self._last_day = trade_now() + timedelta(days=OLDER_DAYS + days - 1)
        self._carts: dict[str, CartSnapshot] = {}
        self._placed: dict[str, OrderSnapshot] = {}
        self._will_order: list[tuple[datetime, str, int]] = []  # when, cart, message
        self._will_pay: list[tuple[datetime, int, int]] = []  # when, order, message

    def live_through(self) -> None:
        """Play every step from the past up to the present."""
        begin = trade_now()
        source = self._scenery.source
        for good in GOODS:
            record_product(
                source,
                ProductSnapshot(
                    good.ref, good.name, good.price, "PLN", begin,
                    cost=good.cost, says_cost=good.cost is not None,
                ),
                now=begin,
            )  # fmt: skip
        bargains.know_costs(self._scenery.shop, ENTERED, now=begin)
        go_live(self._scenery.shop, actor=SYSTEM, now=begin)
        bargains.begin_offers(self._scenery.shop, holdout_bp=LEFT_ALONE_BP, now=begin)
        full = begin + timedelta(days=OLDER_DAYS, minutes=1)
        waiting = older_plans(begin + timedelta(minutes=1), days=OLDER_DAYS) + plans(full, days=self._days)
        paying: list[Plan] = []
        left = carts(full, days=self._days)
        self._carts = {cart.ref: cart for cart in left}
        for to_go in self._steps():
            _set_offset(-to_go)
            now = trade_now()
            while waiting and waiting[0].snapshot.placed_at <= now:
                plan = waiting.pop(0)
                self._place(plan, now)
                self._fail(plan)
                paying.append(plan)
            while left and left[0].version_at <= now:
                cart = left.pop(0)
                report(source, "cart.updated", cart_as_told(cart), at=cart.version_at)
            paying = [plan for plan in paying if not self._pay(plan, now)]
            self._come_back(now)
            self._order_carts(now)
            worker.step_all()
            while self._sender.run_once():
                pass
            worker.step_all()
            self._decide(now)
        self._leave_loose_ends(trade_now())

    def _steps(self) -> Iterator[timedelta]:
        """Return how long before the present each step ends, the last one in the present."""
        days = timedelta(days=self._days)
        for number in range(1, timedelta(days=OLDER_DAYS) // OLDER_STEP + 1):
            yield days + timedelta(days=OLDER_DAYS) - number * OLDER_STEP
        for number in range(1, days // STEP + 1):
            yield days - number * STEP

    def _place(self, plan: Plan, now: datetime) -> None:
        """Let the shop tell of an order: those of the last day by its webhook, so that its page shows them."""
        snapshot, source = plan.snapshot, self._scenery.source
        self._placed[snapshot.ref] = snapshot
        if self._last_day > now or snapshot.is_offline_method:
            apply_order_snapshot(source, snapshot, now=max(snapshot.placed_at, now - STEP))
            return
        report(source, "order.created", order_as_told(snapshot), at=snapshot.placed_at)
        intake.apply_waiting(limit=10)

    def _order(self, plan: Plan) -> Order:
        return Order.objects.get(source=self._scenery.source, ref=plan.snapshot.ref)

    def _fail(self, plan: Plan) -> None:
        if plan.fails_at is not None:
            self._record(self._order(plan), plan.fails_at, AttemptState.FAILED, plan=plan)

    def _pay(self, plan: Plan, now: datetime) -> bool:
        """Let somebody pay who does so by themselves; tell whether that is settled."""
        if plan.pays_at is None:
            return True
        if plan.pays_at > now:
            return False
        order = self._order(plan)
        if order.payment_state in OWED_STATES:
            self._record(order, plan.pays_at, AttemptState.SUCCEEDED)
        return True

    def _decide(self, now: datetime) -> None:
        """Let those who got a reminder decide, once a mail, whether it makes them pay."""
        sent = Message.objects.filter(state="sent", shop=self._scenery.shop).exclude(pk__in=self._decided)
        for message in sent.select_related("template", "cart").order_by("id"):
            self._decided.add(message.pk)
            if message.order_id is None:
                if message.cart is not None and self._dice.random() < ORDERS_CART:
                    at = now + timedelta(hours=self._dice.choice((1, 3, 5)))
                    self._will_order.append((at, message.cart.ref, message.pk))
                continue
            if message.template is not None and message.template.key == bargains.TEXT:
                if self._dice.random() < bargains.TAKES_IT:
                    at = now + timedelta(hours=self._dice.choice((1, 3, 8, 20)))
                    self._will_pay.append((at, message.order_id, message.pk))
                continue
            place = min(Message.objects.filter(order_id=message.order_id, state="sent").count(), 3) - 1
            if self._dice.random() < COMES_BACK[place]:
                at = now + timedelta(hours=self._dice.choice((1, 2, 3, 5, 9, 20)))
                self._will_pay.append((at, message.order_id, message.pk))

    def _come_back(self, now: datetime) -> None:
        for at, order_id, message_id in [row for row in self._will_pay if row[0] <= now]:
            self._will_pay.remove((at, order_id, message_id))
            order = Order.objects.get(pk=order_id)
            if order.payment_state in OWED_STATES:
                Message.objects.filter(pk=message_id).update(opened_at=at, clicked_at=at)
                if not bargains.pay_with_offer(self._scenery, order, at, message_id=message_id):
                    self._record(order, at, AttemptState.SUCCEEDED, message_id=message_id)

    def _order_carts(self, now: datetime) -> None:
        """Let those who come back to their cart order what it holds and pay at once."""
        for at, ref, message_id in [row for row in self._will_order if row[0] <= now]:
            self._will_order.remove((at, ref, message_id))
            cart = self._carts[ref]
            number = f"L-{1000 + int(ref.removeprefix('K-'))}"
            if Order.objects.filter(source=self._scenery.source, ref=number).exists():
                continue
            Message.objects.filter(pk=message_id).update(opened_at=at, clicked_at=at)
            order = OrderSnapshot(
                ref=number, number=number, state=ShopState.PAID, currency=cart.currency, total=cart.total, placed_at=at,
                version_at=at, paid_at=at, person=cart.person, lines=cart.lines, method="card", method_title="Karta",
                locale=cart.locale, cart_ref=cart.ref, shipping_total=cart.shipping_total, delivery=cart.delivery,
                invoice=cart.invoice,
            )  # fmt: skip
            apply_order_snapshot(self._scenery.source, order, now=at)

    def _leave_loose_ends(self, now: datetime) -> None:
        """Leave what a person has to look at: a payment too much, a buyer who says it is paid, a report nobody can read."""
        shop, source = self._scenery.shop, self._scenery.source
        newest = Order.objects.filter(shop=shop, source=source).order_by("-placed_at")
        twice = newest.filter(payment_state="paid").first()
        if twice is not None:
            self._record(twice, now - timedelta(minutes=20), AttemptState.SUCCEEDED, amount=twice.total)
        at = now - timedelta(minutes=35)
        claimed = newest.filter(
            status="unpaid", paused_at=None, unpaid_at__lt=at - timedelta(hours=1)
        ).first()
        if claimed is not None:
            buyer = Actor("buyer", claimed.contact_id)
            pause_reminders(claimed, actor=buyer, now=at, why="says_paid")
            attention.ask(
                SAYS_PAID,
                shop_id=shop.pk,
                key=str(claimed.pk),
                now=at,
                subject=("order", claimed.pk),
                number=claimed.number,
            )
        told = order_as_told(plans(now - timedelta(days=1), days=1)[0].snapshot)
        broken = {**told, "id": "L-1999", "number": "L-1999", "total": "129,00 zł"}
        report(source, "order.created", broken, at=now - timedelta(minutes=50))
        bargains.leave_offers(self._scenery, now=now)
        owner = Actor("person", User.objects.order_by("id").values_list("pk", flat=True)[0])
        self._order_twice(owner, now)
        worker.step_all()
        keep_segments(shop, actor=owner, now=now)

    def _order_twice(self, colleague: Actor, now: datetime) -> None:
        """Let two buyers order the same anew while somebody works on what they had: a person says which is kept (F3)."""
        owed = Order.objects.filter(
            shop=self._scenery.shop, status="unpaid", payment_state="failed", paused_at=None
        )
        last = max(int(ref.removeprefix("L-")) for ref in self._placed)
        for number, order in enumerate(owed.order_by("-placed_at")[:2], start=1):
            claim_order(order, actor=colleague, now=now - timedelta(minutes=30 * number))
            at = now - timedelta(minutes=12 * number)
            again = placed_again(self._placed[order.ref], f"L-{last + number}", at=at)
            report(self._scenery.source, "order.created", order_as_told(again), at=at)

    def _record(
        self,
        order: Order,
        at: datetime,
        state: AttemptState,
        *,
        plan: Plan | None = None,
        message_id: int | None = None,
        amount: Decimal | None = None,
    ) -> None:
        code, failure = plan.failure if plan is not None else ("", None)
        record_payment(
            order,
            PaymentSnapshot(
                ref=f"{order.ref}-{state.value}-{at:%d%H%M%S}",
                state=state,
                amount=amount or max(amount_due(order), Decimal("0.01")),
                currency=order.currency,
                at=at,
                operator="demobank",
                method=order.method,
                failure_class=failure,
                failure_code=code,
            ),
            now=at,
            through=Through(operator_account=self._scenery.bank, message_id=message_id),
        )
