"""Reading long lists page by page, so that no row is lost while the shop goes on selling.

Rows are sorted by id, which never changes, and not by their change, which moves them between pages. Pages overlap by ten
rows, because a row that is deleted meanwhile pulls the next ones forward. A run looks back ten minutes behind the start of
the one before, so that rows of the same second, or committed late, are seen.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from recoup.core import strict_json
from recoup.integrations.woocommerce import orders, products
from recoup.integrations.woocommerce.client import Api
from recoup.shops.models import Source
from recoup.shops.ports import BodyQuarantined, Page, SourceUnavailable, Unreadable, row_key
from recoup.shops.snapshots import OrderSnapshot, ProductSnapshot

log = structlog.get_logger(__name__)
PAGE = 100  # the most that the API gives
STEP = 90
OVERLAP = timedelta(minutes=10)
ORDERS, PRODUCTS = "orders", "products"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run stands: which list, from where in it, and the shop's clock when the run began."""

    stage: str = ORDERS
    offset: int = 0
    began: str = ""

    def kept(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {"stage": self.stage, "offset": self.offset, "began": self.began}


def place_of(cursor: dict[str, Any]) -> Place:
    """Return the place that a cursor holds; an empty one is the beginning."""
    return Place(
        stage=PRODUCTS if cursor.get("stage") == PRODUCTS else ORDERS,
        offset=int(cursor.get("offset") or 0),
        began=str(cursor.get("began") or ""),
    )


def as_gmt(moment: datetime) -> str:
    """Return an instant as the API's filters take it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def fetch(api: Api, source: Source, place: Place, **filters: str) -> tuple[Page, Place | None]:
    """Fetch one page of a list; return it and the next place in this list, or `None` at its end.

    :raises SourceUnavailable: if the answer is no list. :raises SourceRefused:
    """
    found = api.get(
        place.stage,
        per_page=PAGE,
        offset=place.offset,
        orderby="id",
        order="asc",
        dates_are_gmt="true",
        **filters,
    )
    if not isinstance(found.body, list):
        raise SourceUnavailable("answer_not_list")
    began = place.began or (found.at.isoformat() if found.at else "")
    page = page_of(source, place.stage, found.body)
    if len(found.body) < PAGE:
        return replace(page, cursor={"began": began}), None
    return page, replace(place, offset=place.offset + STEP, began=began)


def page_of(source: Source, stage: str, rows: list[Any]) -> Page:
    """Return rows as they were told, read one by one; drafts are left out, and what cannot be read is kept apart."""
    found_orders: list[OrderSnapshot] = []
    found_products: list[ProductSnapshot] = []
    unreadable: list[Unreadable] = []
    told: dict[str, Any] = {}
    read: Callable[[dict[str, Any]], None]
    if stage == ORDERS:
        rows = [row for row in rows if not (isinstance(row, dict) and orders.is_draft(row))]

        def read(row: dict[str, Any]) -> None:
            found_orders.append(orders.read_order(row))
            told[row_key(found_orders[-1])] = row

    else:
        currency = currency_of(source)

        def read(row: dict[str, Any]) -> None:
            found_products.append(products.read_product(row, currency=currency))
            told[row_key(found_products[-1])] = row

    for row in rows:
        try:
            read(row if isinstance(row, dict) else {})
        except BodyQuarantined as reason:
            unreadable.append(_unreadable(row, stage, str(reason)))
        except Exception:  # one odd row must not hide those behind it for good
            number = secrets.token_hex(4)
            log.exception("woocommerce.row.failed", source_id=source.pk, number=number)
            unreadable.append(_unreadable(row, stage, f"unexpected: {number}"))
    return Page(tuple(found_orders), tuple(found_products), tuple(unreadable), told=told)


def _unreadable(row: Any, stage: str, reason: str) -> Unreadable:
    return Unreadable(
        ref=str(row.get("id", ""))[:200] if isinstance(row, dict) else "",
        topic="order.polled" if stage == ORDERS else "product.polled",
        raw=strict_json.dumps(row),
        reason=reason,
    )


def currency_of(source: Source) -> str:
    """Return the currency of a source's products, which WooCommerce does not tell."""
    told = source.options.get("currency")
    return str(told) if told else source.shop.currency
