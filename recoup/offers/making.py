"""Coupons in shops that take the payment themselves: made, put on the order, held against what was promised, taken away.

A step grants an offer in state `asked`; this loop calls the shop, outside of any transaction, with a lease, and again after
a minute up to hours. What the shop answers is recorded together with the decision: from then on the order charges the new
sum, and only then whoever waits goes on. A sum that the shop reckons otherwise is taken back, and told.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.db import transaction
from django_scopes import scope, scopes_disabled

from recoup.catalog.models import Product
from recoup.core.clock import real_now, trade_now
from recoup.core.fields import SecretUnreadable
from recoup.core.installation import get_installation
from recoup.offers import budgets
from recoup.offers.codes import folded, new_code, shown
from recoup.offers.coupons import tell_paid_meanwhile
from recoup.offers.ending import PAUSE, end_offers
from recoup.offers.granting import announce_decision, is_open
from recoup.offers.models import Offer
from recoup.offers.personal import can_apply, look_at_shops
from recoup.offers.reasons import Reason
from recoup.offers.settings import get_settings
from recoup.offers.taking_away import Tell, clear
from recoup.offers.telling import tell_broken, tell_difference, tell_stays
from recoup.offers.terms import Terms
from recoup.offers.wishing import Promise, goods_of, promise_for, promise_to_person, why_no_code, wish_of
from recoup.orders.actions import CurrencyChanged
from recoup.orders.models import Cart, Order
from recoup.shops.adapters import PlatformUnknown, platform
from recoup.shops.coupons import Coupon, CouponCodeTaken, CouponRefused, CouponTrouble
from recoup.shops.models import Source
from recoup.shops.ports import ShopPlatform, SourceRefused, SourceUnavailable
from recoup.shops.snapshots import OrderSnapshot

log = structlog.get_logger(__name__)

State, _ZERO = Offer.State, Decimal(0)
MOST_AT_ONCE = 3
LEASE = timedelta(minutes=10)  # a shop answers a call within 30 s, and an offer takes six at most
PAUSES = tuple(timedelta(minutes=m) for m in (1, 2, 5, 10, 20, 40, 60, 120, 180))
# The block waits for twelve hours (`nodes.offer.LONGEST_ASKING`); by then the answer is written down.
LONGEST = timedelta(hours=11)
MOST_TRIES_TO_CLEAR = 24  # more than two days
CODES_TRIED = 3
_REASONS = {
    CouponTrouble.DISABLED: Reason.COUPONS_OFF,
    CouponTrouble.NOT_APPLICABLE: Reason.SHOP_REFUSED,
    CouponTrouble.UNFIT: Reason.SHOP_REFUSED,
    CouponTrouble.BESIDE: Reason.COUPON,
    CouponTrouble.CLOSED: Reason.SUBJECT_OVER,
    CouponTrouble.DIFFERS: Reason.DIFFERS,
}


class _Refused(Exception):
    """An offer comes to nothing, for this reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _LostLease(Exception):
    """Somebody else is at this offer, or it has ended meanwhile."""


def call_shops(tell: Tell, *, beat: Callable[[], object] = lambda: None) -> int:
    """Make and take away the coupons that are due, of any shop; return how many that were. The worker's loop.

    `tell` records an order as its shop shows it. `beat` is called before each offer, for slow shops hold one up for long.
    A silenced copy of an installation calls nobody (R19).
    """
    if get_installation().silenced_at is not None:
        return 0
    claimed = _claim()
    silent: set[int | None] = set()
    for offer in claimed:
        beat()
        if offer.maker_id in silent:  # one that does not answer now is not asked again for each of them
            _put_off(offer, offer.remote_trouble)
            continue
        with scope(shop=offer.shop_id):
            if not _work(offer, tell):
                silent.add(offer.maker_id)
    return len(claimed)


def _claim() -> list[Offer]:
    with scopes_disabled(), transaction.atomic():
        now = real_now()
        due = Offer.objects.select_for_update(skip_locked=True, of=("self",), no_key=True).filter(
            remote_next_at__lte=now
        )
        ids = list(due.order_by("remote_next_at").values_list("pk", flat=True)[:MOST_AT_ONCE])
        Offer.objects.filter(pk__in=ids).update(remote_next_at=now + LEASE)
        rows = Offer.objects.filter(pk__in=ids).order_by("remote_next_at", "pk")
        sources = ("maker", "order__source", "cart__source")
        # Read at its call: one that is unreadable stops no other.
        secrets = [
            f"{one}__{name}" for one in sources for name in ("secret", "previous_secret", "credentials")
        ]
        rows = rows.select_related("shop", "contact", "maker__shop", "order__shop", *sources)
        return list(rows.defer(*secrets))


def _work(offer: Offer, tell: Tell) -> bool:
    """Do what is due for an offer; `False` if its shop gave no answer and is better left alone for now."""
    adapter = _adapter(offer.maker)
    if offer.maker is None or adapter is None:  # its source is gone, and the coupon with it out of reach
        _refuse(offer, Reason.ORIGIN) if offer.state == State.ASKED else _done(offer)
        return True
    try:
        if offer.state == State.ASKED:
            _make(offer, offer.maker, adapter, tell)
        elif offer.state != State.GRANTED:
            clear(offer, offer.maker, adapter, tell)
            _done(offer)
        else:
            _done(offer)
    except _LostLease:
        log.info("offers.coupon.left", offer_id=offer.pk)
        _clear_anew(offer)
    except _Refused as refused:
        _refuse(offer, refused.reason)
    except CurrencyChanged:
        _refuse(offer, Reason.CURRENCY) if offer.state == State.ASKED else _stays(offer)
    except CouponRefused as refused:
        log.info("offers.coupon.refused", offer_id=offer.pk, trouble=str(refused.trouble))
        offer.remote_trouble = refused.details
        _refuse(offer, _REASONS[refused.trouble]) if offer.state == State.ASKED else _stays(offer)
    except SecretUnreadable:
        log.error("offers.coupon.secret_unreadable", offer_id=offer.pk)
        _put_off(offer, "keys_unreadable")
        return False
    except (SourceUnavailable, SourceRefused) as trouble:
        log.warning("offers.coupon.not_answered", offer_id=offer.pk, trouble=str(trouble))
        if isinstance(trouble, SourceRefused):
            tell_broken(offer.maker, str(trouble))
        _put_off(offer, str(trouble))
        return False
    return True


def _adapter(maker: Source | None) -> ShopPlatform | None:
    try:
        return platform(maker.kind) if maker is not None else None
    except PlatformUnknown:
        return None


def _make(offer: Offer, maker: Source, adapter: ShopPlatform, tell: Tell) -> None:
    if _is_too_late(offer, trade_now()):
        raise _Refused(Reason.NO_ANSWER)
    terms = Terms.from_json(offer.terms)
    _refuse_gone(offer, maker)
    if offer.order is not None:
        promise = _look_again(offer, terms, offer.order, maker, adapter, tell)
        _coupon(offer, terms, offer.order, promise, maker, adapter)
        told = adapter.put_coupon(maker, offer.order.ref, shown(offer.code), is_beside=terms.with_coupon)
        _finish_order(offer, promise, told, tell)
    elif offer.cart is not None and is_open(offer.cart):
        promise = _held(promise_for(offer.shop, terms, offer.cart))
        if reason := why_no_code(terms, offer.cart, promise.code):
            raise _Refused(reason)
        _coupon(offer, terms, offer.cart, promise, maker, adapter)
        _finish_cart(offer, promise, adapter.coupon_link(maker, shown(offer.code), goods_of(offer.cart)))
    elif offer.is_for_person:
        found = look_at_shops(offer.shop, offer.contact_id, terms, get_settings(offer.shop))
        if found.reason:
            raise _Refused(found.reason)
        promise = promise_to_person(offer.shop, found)
        _coupon(offer, terms, None, promise, maker, adapter)
        _finish_person(offer, promise)
    else:
        raise _Refused(Reason.SUBJECT_OVER)


def _refuse_gone(offer: Offer, maker: Source) -> None:
    """Refuse what is about a product that the shop has deleted: it would only answer with an error, again and again."""
    subject = offer.order or offer.cart
    refs = subject.product_refs if subject is not None else []
    gone = Product.objects.filter(source=maker, ref__in=refs, variant_ref="", is_deleted=True)
    if gone.exists():
        raise _Refused(Reason.PRODUCT_GONE)


def _is_too_late(offer: Offer, now: datetime) -> bool:
    return now >= min(offer.granted_at + LONGEST, offer.valid_until)


def _look_again(
    offer: Offer, terms: Terms, order: Order, maker: Source, adapter: ShopPlatform, tell: Tell
) -> Promise:
    """Read the order from its shop and reckon anew what it would come to: it may have been paid or changed meanwhile (K3).

    A coupon of this offer that is on it already, because an answer was lost, is taken off again first.
    """
    told = adapter.ask(maker, order.ref)
    if told is not None and any(folded(one.code) == offer.code for one in told.coupons):
        told = adapter.take_off_coupon(maker, order.ref, shown(offer.code))
    elif told is not None:
        tell(maker, told, trade_now())
        order.refresh_from_db()
    if told is None or not is_open(order):
        raise _Refused(Reason.SUBJECT_OVER)
    return _held(promise_for(offer.shop, terms, order, told))


def _held(promise: Promise) -> Promise:
    part = promise.part
    if part.refusal is not None:
        raise _Refused(Reason(str(part.refusal)))
    if part.is_cut:
        raise _Refused(Reason.FLOOR)
    return promise


def _coupon(
    offer: Offer,
    terms: Terms,
    subject: Order | Cart | None,
    promise: Promise,
    maker: Source,
    adapter: ShopPlatform,
) -> Coupon:
    """Have the coupon made; by another code if the shop knows this one from somewhere else."""
    for _ in range(CODES_TRIED):
        try:
            coupon = adapter.make_coupon(maker, wish_of(offer, terms, subject, promise))
        except CouponCodeTaken:
            offer.code = new_code()
            _keep(offer, code=offer.code)
        else:
            offer.remote_ref = coupon.ref
            _keep(offer, remote_ref=coupon.ref)
            return coupon
    raise _Refused(Reason.SHOP_REFUSED)


def _keep(offer: Offer, **values: str) -> None:
    mine = Offer.objects.filter(pk=offer.pk, state=State.ASKED, remote_next_at=offer.remote_next_at)
    if not mine.update(**values):
        raise _LostLease


def _finish_order(offer: Offer, promise: Promise, told: OrderSnapshot, tell: Tell) -> None:
    """Record the order as it is now together with the decision about its offer."""
    now = trade_now()
    with transaction.atomic():
        assert offer.maker is not None
        assert offer.order is not None
        tell(offer.maker, told, now)
        _lock(offer)
        order = offer.order
        order.refresh_from_db()
        saved, offer.is_guessed = promise.basket.total - told.total, promise.quote.is_guessed
        cost = promise.part.cost if promise.part.gift is not None else saved
        if reason := _why_not(offer, promise, told, order, now) or _over_budget(offer, cost):
            _take_back(offer, reason, now)
        else:
            _grant(offer, now, new_total=told.total, saved=saved, cost=cost)
    if reason == Reason.DIFFERS:
        tell_difference(offer, ours=promise.quote.after, theirs=told.total, now=now)
    if reason == Reason.SUBJECT_OVER and order.captured > 0 and told.total != promise.basket.total:
        tell_paid_meanwhile(order, offer, now)


def _why_not(offer: Offer, promise: Promise, told: OrderSnapshot, order: Order, now: datetime) -> str:
    """Return why what the shop answered cannot stand, or nothing: paid meanwhile, below the floor, or less than promised."""
    if not is_open(order):
        return Reason.SUBJECT_OVER
    if not any(folded(one.code) == offer.code for one in told.coupons):
        return Reason.SHOP_REFUSED
    if _is_too_late(offer, now):
        return Reason.NO_ANSWER
    return promise.refusal_of(told.total, is_beside=len(told.coupons) > 1)


def _finish_cart(offer: Offer, promise: Promise, link: str) -> None:
    now = trade_now()
    with transaction.atomic():
        _lock(offer)
        cart = Cart.objects.filter(pk=offer.cart_id or 0).first()
        part, after = promise.part, promise.quote.after
        if cart is None or not is_open(cart):
            _take_back(offer, Reason.SUBJECT_OVER, now)
        elif _is_too_late(offer, now):
            _take_back(offer, Reason.NO_ANSWER, now)
        elif reason := _over_budget(offer, part.cost):
            _take_back(offer, reason, now)
        else:
            offer.remote_url = link
            _grant(offer, now, new_total=after, saved=part.discount, cost=part.cost)


def _finish_person(offer: Offer, promise: Promise) -> None:
    now = trade_now()
    with transaction.atomic():
        _lock(offer)
        if _is_too_late(offer, now):
            _take_back_or_count_here(offer, Reason.NO_ANSWER, now)
        else:
            offer.is_guessed = promise.quote.is_guessed
            _grant(offer, now, new_total=None, cost=offer.expected)  # as its budget was asked for


def _over_budget(offer: Offer, cost: Decimal) -> str:
    """Reserve what an offer has come to cost since it was wished for; return why it cannot be, or nothing (K6)."""
    return "" if budgets.reserve_anew(offer, cost) else Reason.BUDGET


def _lock(offer: Offer) -> None:
    """Lock an offer that is still asked for and ours.

    :raises _LostLease: if it is not.
    """
    mine = Offer.objects.select_for_update(no_key=True).filter(
        pk=offer.pk, state=State.ASKED, remote_next_at=offer.remote_next_at
    )
    if not mine.exists():
        raise _LostLease


def _grant(
    offer: Offer, now: datetime, *, new_total: Decimal | None, saved: Decimal = _ZERO, cost: Decimal = _ZERO
) -> None:
    offer.state, offer.decided_at = State.GRANTED, now
    offer.new_total, offer.expected_discount, offer.expected = new_total, saved, cost
    offer.remote_next_at, offer.remote_tries, offer.remote_trouble = None, 0, ""
    offer.save()
    announce_decision(offer, at=now)


def _refuse(offer: Offer, reason: str) -> None:
    """Refuse an offer that is asked for; what may stand of it in the shop is taken away next."""
    with transaction.atomic():
        try:
            _lock(offer)
        except _LostLease:
            return
        _take_back_or_count_here(offer, reason, trade_now())


def _take_back_or_count_here(offer: Offer, reason: str, now: datetime) -> None:
    """Take back what a shop does not bear, unless it is for a person who may order at our page as well: it counts there."""
    is_over = offer.valid_until <= now or offer.contact.erased_at is not None
    # A coupon whose answer was lost may stand, and be worth too much by now.
    may_stand = offer.remote_tries > 0 and reason in {Reason.FLOOR, Reason.NO_COST}
    if offer.is_for_person and not is_over and not may_stand and can_apply(offer.shop):
        _grant(offer, now, new_total=None, cost=offer.expected)
    else:
        _take_back(offer, reason, now)


def _take_back(offer: Offer, reason: str, now: datetime) -> None:
    Offer.objects.filter(pk=offer.pk).update(remote_trouble=offer.remote_trouble)
    end_offers([offer.pk], State.VOID, reason, now=now)


def _done(offer: Offer) -> None:
    mine = Offer.objects.filter(pk=offer.pk, remote_next_at=offer.remote_next_at)
    mine.exclude(state=State.ASKED).update(remote_next_at=None, remote_tries=0, remote_trouble="")


def _put_off(offer: Offer, trouble: str) -> None:
    """Try again later; a coupon that cannot be taken away for days is left to a person."""
    if offer.state != State.ASKED and offer.remote_tries >= MOST_TRIES_TO_CLEAR:
        _stays(offer)
        return
    pause = PAUSES[min(offer.remote_tries, len(PAUSES) - 1)]
    at = real_now() + pause
    if offer.state == State.ASKED:  # what has its deadline before is refused then
        left = min(offer.granted_at + LONGEST, offer.valid_until) - trade_now()
        at = min(at, real_now() + max(left, timedelta(0)))
    mine = Offer.objects.filter(pk=offer.pk, remote_next_at=offer.remote_next_at)
    values = {"remote_next_at": at, "remote_tries": offer.remote_tries + 1, "remote_trouble": trouble[:300]}
    if not mine.update(**values) and offer.state == State.ASKED:
        _clear_anew(offer)


def _clear_anew(offer: Offer) -> None:
    """Have the coupon of an offer that ended meanwhile taken away: what we sent may have come after it was, by another."""
    ended = Offer.objects.filter(pk=offer.pk, state__in=(State.REFUSED, State.VOID, State.EXPIRED))
    ended.filter(maker__isnull=False).update(remote_next_at=real_now() + PAUSE)


def _stays(offer: Offer) -> None:
    """Ask a person to take a coupon away that we cannot."""
    _done(offer)
    tell_stays(offer)
