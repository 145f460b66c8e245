"""What every shop platform must keep to (`shops.ports`). A new one is tested as soon as it is listed."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from recoup.shops.adapters import kinds, platform
from recoup.shops.coupons import CartLine
from recoup.shops.models import Source
from recoup.shops.ports import BodyQuarantined, CallUnreadable, SignatureRefused, SourceUnavailable
from tests.factories.moments import NOW
from tests.factories.shops import make_shop, make_source

pytestmark = pytest.mark.django_db
ODD = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"type": 1, "data": []}',
    b'{"type": "order.created", "data": {"id": [], "payments": 5}}',
    b'{"id": {}}',
    b"[" * 5000,
    b"\xff\xfe\x00",
    b"webhook_id=1",
)
TOPICS = ("", "order.created", "order.deleted", "product.updated", "nonsense", "x" * 5000)


@pytest.fixture(params=sorted(kinds()))
def source(request: pytest.FixtureRequest) -> Source:
    """Return a source of each kind that we know."""
    return make_source(make_shop(), kind=request.param)


def test_it_goes_by_its_kind(source: Source) -> None:
    assert platform(source.kind).kind == source.kind


def test_a_call_without_a_signature_is_refused(source: Source) -> None:
    for raw in ODD:
        with pytest.raises((SignatureRefused, CallUnreadable)):
            platform(source.kind).check_call(source, raw, {}, now=datetime.now(UTC))


def test_it_names_whatever_comes_always_alike_and_never_fails(source: Source) -> None:
    adapter = platform(source.kind)
    for raw in (*ODD, secrets.token_bytes(200)):
        for topic in TOPICS:
            peek = adapter.peek(raw, {"x-wc-webhook-topic": topic})
            assert peek == adapter.peek(raw, {"x-wc-webhook-topic": topic})
            assert peek.event_id
            assert len(peek.topic) <= 100
            assert all(isinstance(ref, str) and len(ref) <= 200 for ref in peek.subject_refs)


def reading_of(source: Source, raw: bytes, topic: str) -> tuple[object, ...]:
    """Return what was read, or why nothing was."""
    try:
        reading = platform(source.kind).read(source, raw, {"x-wc-webhook-topic": topic}, received_at=NOW)
    except BodyQuarantined as reason:
        return (str(reason),)
    return (*reading.snapshots, reading.unused) if reading.unused else reading.snapshots


def test_it_reads_whatever_comes_or_says_why_not(source: Source) -> None:
    found = [reading_of(source, raw, topic) for raw in ODD for topic in TOPICS]

    assert all(found)


def test_its_own_secrets_are_good_and_short_ones_are_not(source: Source) -> None:
    adapter = platform(source.kind)
    first, second = adapter.new_secret(), adapter.new_secret()

    assert (adapter.secret_trouble(first), first == second) == ("", False)
    for short in ("", "x" * 23, first[:12]):
        assert adapter.secret_trouble(short) == "secret_short"


def test_what_it_cannot_do_it_answers_as_the_port_says(source: Source) -> None:
    adapter = platform(source.kind)
    can = adapter.capabilities
    if not can.asks:
        with pytest.raises(SourceUnavailable):
            adapter.ask(source, "1")
    if not can.polls:
        page = adapter.poll(source, now=NOW)
        assert (page.orders, page.products, page.has_more) == ((), (), False)
    if not can.backfills:
        assert not adapter.backfill(source, {}, since=NOW).has_more
    if not can.registers:
        adapter.register_hooks(source, address="https://recoup.example.com/hooks/k")
        assert list(adapter.hook_troubles(source)) == []
    if not can.fills_carts:
        assert adapter.cart_link(source, [CartLine("5", "", Decimal(1))]) == ""
    assert can.pay_links or not can.pays_itself


def test_it_fills_no_cart_with_goods_that_it_cannot_name(source: Source) -> None:
    adapter, known = platform(source.kind), CartLine("5", "", Decimal(1))
    for odd in (
        CartLine("", "", Decimal(1)),
        CartLine("a&b", "", Decimal(1)),
        replace(known, quantity=Decimal(0)),
    ):
        assert adapter.cart_link(source, [known, odd]) == ""
    assert adapter.cart_link(source, []) == ""
