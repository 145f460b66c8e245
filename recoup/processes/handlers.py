"""What processes do about news: let people in, wake those who wait. Each takes a batch and writes in its transaction."""

from collections.abc import Sequence

from django.db import connection

from recoup.core.activity import Actor
from recoup.core.clock import trade_now
from recoup.customers.events import CustomerMerged, TagsChanged
from recoup.customers.queries import who_stands_for
from recoup.desk.events import TaskDone
from recoup.messaging.events import MessageClicked, MessageOpened, MessageSettled, PageVisited
from recoup.offers.events import OfferDecided
from recoup.orders import status
from recoup.orders.events import CartChanged, OrderCancelled, OrderChanged, OrderPlaced
from recoup.orders.models import Order
from recoup.payments.events import PaymentFailed, PaymentReceived
from recoup.processes import arriving, merged, swapped
from recoup.processes.engine.batch import WakeUp
from recoup.processes.engine.codes import SubjectKind, Wake
from recoup.processes.entering import enrol_cases, enrol_placed
from recoup.processes.events import EnrolmentEnded, StatusWished, WebhookAnswered
from recoup.processes.queries import subjects_of
from recoup.processes.store import wake
from recoup.processes.waking import wake_buyers, wake_carts_of, wake_visitors
from recoup.recovery.events import RecoveryCaseClosed, RecoveryCaseOpened

_ORDER, _CART = int(SubjectKind.ORDER), int(SubjectKind.CART)


def enrol(batch: Sequence[RecoveryCaseOpened]) -> None:
    """Let the people of new cases into the processes that wait for them."""
    enrol_cases(batch)


def enrol_buyers(batch: Sequence[OrderPlaced]) -> None:
    """Let the buyers of new orders into the processes that begin with the placing."""
    enrol_placed([news.order_id for news in batch])


def enrol_tagged(batch: Sequence[TagsChanged]) -> None:
    """Let people into the processes that begin with a tag which was just set on them."""
    arriving.enrol_tagged(batch)


def enrol_paid(batch: Sequence[PaymentReceived]) -> None:
    """Let the buyers of orders that are paid into the processes that begin with it."""
    arriving.enrol_paid([news.order_id for news in batch])


def enrol_failed(batch: Sequence[PaymentFailed]) -> None:
    """Let those whose payment failed into the processes that begin with it."""
    arriving.enrol_failed(batch)


def enrol_ended(batch: Sequence[EnrolmentEnded]) -> None:
    """Let those who came to the end of a process into those that begin with it."""
    arriving.enrol_ended(batch)


def wake_paid(batch: Sequence[PaymentReceived]) -> None:
    """Wake those whose order is paid, and those who wait for its buyer to buy something."""
    now = trade_now()
    wake([WakeUp(_ORDER, news.order_id, Wake.PAID.value) for news in batch], now)
    wake_buyers(_buyers_of([news.order_id for news in batch]), now)


def wake_failed(batch: Sequence[PaymentFailed]) -> None:
    """Wake those whose payment failed."""
    wake([WakeUp(_ORDER, news.order_id, Wake.PAYMENT_FAILED.value) for news in batch], trade_now())


def wake_cancelled(batch: Sequence[OrderCancelled]) -> None:
    """Wake those whose order is cancelled."""
    wake([WakeUp(_ORDER, news.order_id, Wake.CANCELLED.value) for news in batch], trade_now())


def wake_changed(batch: Sequence[OrderChanged]) -> None:
    """Wake those whose order was changed, held, let go, or superseded."""
    bits = (Wake.ORDER_CHANGED | Wake.HOLD_CHANGED | Wake.SUPERSEDED).value
    wake([WakeUp(_ORDER, news.order_id, bits) for news in batch], trade_now())


def enrol_swapped(batch: Sequence[OrderChanged]) -> None:
    """Let orders in that have come by a product for which a process lets people in (J3)."""
    swapped.enrol_swapped(batch)


def wake_carts(batch: Sequence[CartChanged]) -> None:
    """Wake those whose cart was touched, emptied or bought."""
    bits = (Wake.CART_CHANGED | Wake.CART_CONVERTED | Wake.CART_EMPTIED).value
    wake([WakeUp(_CART, news.cart_id, bits) for news in batch], trade_now())


def wake_carts_of_buyers(batch: Sequence[OrderPlaced]) -> None:
    """Wake those who left a cart and have ordered since."""
    wake_carts_of(_buyers_of([news.order_id for news in batch]), trade_now())


def _buyers_of(order_ids: Sequence[int]) -> list[tuple[int, int]]:
    buyers = Order.objects.filter(pk__in=order_ids).values_list("shop_id", "contact_id")
    return [(shop_id, contact_id) for shop_id, contact_id in buyers if contact_id]


def wake_closed(batch: Sequence[RecoveryCaseClosed]) -> None:
    """Wake those whose case ended: their enrolment ends by its goal."""
    wake(
        [
            WakeUp(_ORDER if news.kind == "order" else _CART, news.subject_id, Wake.CASE_CLOSED.value)
            for news in batch
        ],
        trade_now(),
    )


def wake_settled(batch: Sequence[MessageSettled]) -> None:
    """Wake the enrolments whose message has its end."""
    _wake_enrolments([news.enrolment_id for news in batch], Wake.MESSAGE_SETTLED.value)


def wake_opened(batch: Sequence[MessageOpened]) -> None:
    """Wake the enrolments whose message was opened."""
    _wake_enrolments([news.enrolment_id for news in batch], Wake.MESSAGE_OPENED.value)


def wake_clicked(batch: Sequence[MessageClicked]) -> None:
    """Wake the enrolments whose message was followed; who clicks has opened."""
    bits = (Wake.MESSAGE_CLICKED | Wake.MESSAGE_OPENED).value
    _wake_enrolments([news.enrolment_id for news in batch], bits)


def wake_visited(batch: Sequence[PageVisited]) -> None:
    """Wake those whose order or cart was looked at on a page of ours, and those who wait for its person to come."""
    now, bit = trade_now(), Wake.VISITED.value
    about = {(news.subject_kind, news.subject_id) for news in batch if news.subject_kind in (_ORDER, _CART)}
    wake([WakeUp(kind, key, bit) for kind, key in sorted(about)], now)
    came = {(news.shop_id, news.contact_id) for news in batch if news.contact_id is not None}
    stands = who_stands_for(contact_id for _, contact_id in came)
    wake_visitors({(shop_id, stands.get(contact_id, contact_id)) for shop_id, contact_id in came}, now)


def wake_task_done(batch: Sequence[TaskDone]) -> None:
    """Wake the enrolments that wait for somebody to do a task."""
    _wake_enrolments([news.enrolment_id for news in batch], Wake.TASK_DONE.value)


def wake_offered(batch: Sequence[OfferDecided]) -> None:
    """Wake the enrolments whose offer was granted or refused."""
    _wake_enrolments([news.enrolment_id for news in batch], Wake.OFFER_DECIDED.value)


def wake_answered(batch: Sequence[WebhookAnswered]) -> None:
    """Wake the enrolments that wait for the answer of another program."""
    _wake_enrolments([news.enrolment_id for news in batch], Wake.WEBHOOK_ANSWERED.value)


def _wake_enrolments(ids: Sequence[int | None], bits: int) -> None:
    subjects = subjects_of([one for one in ids if one is not None])
    wake([WakeUp(kind, subject, bits) for kind, subject in subjects], trade_now())


def follow_merged(batch: Sequence[CustomerMerged]) -> None:
    """Let what is about a person be about the one who stays. Runs after `customers` has moved the rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH l AS (SELECT id FROM processes_enrolment WHERE subject_kind = %s AND subject_id = ANY(%s)"
            "  AND state IN (1, 2, 3) ORDER BY id FOR NO KEY UPDATE)"
            " UPDATE processes_enrolment e SET subject_id = e.contact_id FROM l WHERE e.id = l.id",
            [int(SubjectKind.CONTACT), sorted({news.gone_id for news in batch})],
        )
    stands = who_stands_for(news.gone_id for news in batch)
    for news in batch:
        merged.end_doubles(news.shop_id, stands.get(news.gone_id, news.contact_id), news.gone_id)
    # The visits of the one who went are theirs now.
    wake_visitors({(news.shop_id, stands.get(news.gone_id, news.contact_id)) for news in batch}, trade_now())


def follow_wishes(batch: Sequence[StatusWished]) -> None:
    """Move orders as processes wish; a move that people or money forbid is left out, and the history shows nothing."""
    now = trade_now()
    for wish in batch:
        order = Order.objects.filter(pk=wish.order_id).first()
        if order is None:
            continue
        try:
            status.change_status(order, wish.status, actor=Actor("process"), now=now, reason=wish.reason)
        except status.MoveNotAllowed:
            continue
