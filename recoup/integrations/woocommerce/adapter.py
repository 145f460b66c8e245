"""WooCommerce as a shop platform. It tells orders and products; carts it keeps to itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from recoup.core import http, strict_json
from recoup.core.http import AddressRefused
from recoup.core.strict_json import JsonRefused
from recoup.integrations import values
from recoup.integrations.forms_refused import refuse_form
from recoup.integrations.woocommerce import carts, coupons, hooks, orders, paging, products, webhook, words
from recoup.integrations.woocommerce.client import Api
from recoup.shops.base_platform import BasePlatform
from recoup.shops.coupons import CartLine, Coupon, CouponWish
from recoup.shops.models import Source
from recoup.shops.ports import (
    BodyQuarantined,
    Capabilities,
    Page,
    Peek,
    Reading,
    SourceRefused,
    SourceUnavailable,
)
from recoup.shops.snapshots import OrderDeleted, OrderSnapshot, Snapshot


class WooCommerce(BasePlatform):
    """A shop on WooCommerce 5.8 or newer (`modified_after`)."""

    kind = "woocommerce"
    capabilities = Capabilities(
        webhooks=True,
        carts=False,
        asks=True,
        polls=True,
        backfills=True,
        pay_links=True,
        pays_itself=True,
        registers=True,
        coupons=True,
        fills_carts=True,
    )

    def check_call(
        self,
        source: Source,
        raw: bytes,
        headers: Mapping[str, str],
        *,
        now: datetime,  # noqa: ARG002 - no instant is signed
    ) -> None:
        """Check the signature; WooCommerce signs no instant, so an old call is told apart by its order's version."""
        in_use = tuple(secret for secret in (source.secret, source.previous_secret) if secret)
        webhook.check_signature(in_use, raw, headers)

    def peek(self, raw: bytes, headers: Mapping[str, str]) -> Peek:
        """Name topic and ids, and the unsigned ping."""
        return webhook.peek(raw, headers)

    def read(
        self, source: Source, raw: bytes, headers: Mapping[str, str], *, received_at: datetime
    ) -> Reading:
        """Understand an order or a product; everything else is unused."""
        topic = headers.get("x-wc-webhook-topic", "").strip().lower()
        if topic not in words.READ_TOPICS:
            return Reading(unused=f"unknown_topic: {values.shown(topic)}")
        body = _body(raw, headers)
        if topic in words.ORDER_TOPICS and orders.is_draft(body):
            return Reading(unused="draft")
        return Reading(snapshots=(_snapshot(source, topic, body, received_at),))

    def ask_page(self, source: Source, order_ref: str) -> Page | None:
        """Fetch one order; a cart of the block checkout is none."""
        if not order_ref.isdecimal():
            return None
        with Api(source) as api:
            try:
                body = api.get(f"orders/{order_ref}").body
            except LookupError:
                return None
        if not isinstance(body, dict):
            raise SourceUnavailable("answer_not_order")
        return None if orders.is_draft(body) else paging.page_of(source, paging.ORDERS, [body])

    def poll(self, source: Source, *, now: datetime) -> Page:
        """Fetch a page of what changed since the last whole run: orders first, then products."""
        cursor = dict(source.cursor)
        place = paging.place_of(cursor)
        since = cursor.get(f"{place.stage}_since")
        after = datetime.fromisoformat(since) if since else min(source.live_since, now)
        with Api(source) as api:
            page, further = paging.fetch(
                api, source, place, modified_after=paging.as_gmt(after - paging.OVERLAP)
            )
        if further is not None:
            return _page(page, {**cursor, **further.kept()}, has_more=True)
        began = page.cursor["began"] or _latest(page) or since
        cursor = {**cursor, f"{place.stage}_since": began, "offset": 0, "began": ""}
        is_last = place.stage == paging.PRODUCTS
        cursor["stage"] = paging.ORDERS if is_last else paging.PRODUCTS
        return _page(page, cursor, has_more=not is_last)

    def backfill(self, source: Source, cursor: dict[str, Any], *, since: datetime) -> Page:
        """Fetch a page of history: orders placed since then, then every product."""
        place = paging.place_of(cursor)
        filters = {"after": paging.as_gmt(since)} if place.stage == paging.ORDERS else {}
        with Api(source) as api:
            page, further = paging.fetch(api, source, place, **filters)
        if further is None and place.stage == paging.ORDERS:
            further = paging.Place(stage=paging.PRODUCTS)
        return _page(page, further.kept() if further else {}, has_more=further is not None)

    def check_connection(self, source: Source) -> Iterable[str]:
        """Try the address and the keys; stop at the first thing that a person must mend."""
        return list(_troubles(source))

    def register_hooks(self, source: Source, *, address: str) -> None:
        """Make the webhooks of orders and products with the source's secret, or mend those there are."""
        hooks.register(source, address=address)

    def hook_troubles(self, source: Source) -> Iterable[str]:
        """Name the webhooks that the shop has switched off or lost; after six failures WooCommerce stops for good."""
        return hooks.troubles(source)

    def make_coupon(self, source: Source, wish: CouponWish) -> Coupon:
        """Make a coupon for one person, to be used once."""
        return coupons.make(source, wish)

    def put_coupon(self, source: Source, order_ref: str, code: str, *, is_beside: bool) -> OrderSnapshot:
        """Put a coupon on an unpaid order; its `payment_url` charges the new total from then on."""
        return coupons.put(source, order_ref, code, is_beside=is_beside)

    def take_off_coupon(self, source: Source, order_ref: str, code: str) -> OrderSnapshot | None:
        """Take a coupon off an unpaid order: one that has expired would go on counting there."""
        return coupons.take_off(source, order_ref, code)

    def remove_coupon(self, source: Source, code: str, reference: str) -> None:
        """Delete a coupon of ours for good."""
        coupons.remove(source, code, reference)

    def coupon_link(self, source: Source, code: str, lines: Sequence[CartLine]) -> str:
        """Return the shop's checkout with goods and coupon, from WooCommerce 10 on."""
        return carts.link(source, lines, code=code)

    def cart_link(self, source: Source, lines: Sequence[CartLine]) -> str:
        """Return the shop's checkout with goods, from WooCommerce 10 on."""
        return carts.link(source, lines)


def _page(page: Page, cursor: dict[str, Any], *, has_more: bool) -> Page:
    return replace(page, cursor=cursor, has_more=has_more)


def _latest(page: Page) -> str | None:
    changed = [one.version_at for one in page.orders] + [one.version_at for one in page.products]
    return max(changed).isoformat() if changed else None


def _body(raw: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    try:
        body = strict_json.loads(raw)
    except JsonRefused as error:
        refuse_form(raw, headers)
        raise BodyQuarantined(error.code, error.details) from error
    if not isinstance(body, dict):
        raise BodyQuarantined("not_an_object")
    return body


def _snapshot(source: Source, topic: str, body: dict[str, Any], received_at: datetime) -> Snapshot:
    if topic in words.ORDER_TOPICS:
        return orders.read_order(body)
    if topic == "order.deleted":
        return _deleted(body, received_at)
    currency = paging.currency_of(source)
    if topic == "product.deleted":
        return products.gone_product(body, currency=currency, at=received_at)
    return products.read_product(body, currency=currency)


def _deleted(body: dict[str, Any], at: datetime) -> OrderDeleted:
    orders.refuse_error(body)
    # The topic is not part of what is signed: a whole order sent again under this topic must not delete it.
    if set(body) != {"id"}:
        raise BodyQuarantined("not_a_deletion")
    return OrderDeleted(ref=values.external_ref(body["id"], "id"), at=at, is_by_our_clock=True)


def _troubles(source: Source) -> Iterator[str]:
    try:
        http.check_address(source.base_url)
        with Api(source) as api:
            found = api.get("orders", per_page=1).body
            if not isinstance(found, list):
                yield "answer_not_list"
            elif found and "payment_url" not in found[0]:
                yield "no_pay_links"
            api.get("webhooks", per_page=1)
    except (SourceRefused, SourceUnavailable, AddressRefused) as error:
        yield str(error)
    except LookupError:
        yield "no_rest_api"
