"""Many are put into a process from a segment or from picked orders: looked at, started, watched, ended."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.processes.bulk.adding import run_waiting
from recoup.processes.bulk.models import BulkAdd
from recoup.processes.models import Enrolment
from recoup.segments.models import Segment
from recoup.shops.models import Shop
from tests.factories.clock import set_clock
from tests.factories.moments import NOW
from tests.factories.orders import make_order
from tests.factories.processes import make_process
from tests.factories.shops import make_shop
from tests.web.staff import sign_in

pytestmark = pytest.mark.django_db
S = "/s/lumen/"


@pytest.fixture
def shop() -> Iterator[Shop]:
    set_clock(NOW)
    with scopes_disabled():
        yield make_shop(slug="lumen")


@pytest.fixture
def client(shop: Shop) -> Client:
    return sign_in(shop)


def test_a_segment_is_looked_at_put_in_and_told_about(shop: Shop, client: Client) -> None:
    process = make_process(shop, nodes={"n1": {"t": "end"}}, goals=[{"on": "order.paid"}])
    order, paid = make_order(shop), make_order(shop, paid_at=NOW)
    asked = {"f": "order.total", "op": ">", "v": 1}
    segment = Segment(shop=shop, name="All orders", about=1, condition=asked, changed_at=NOW)
    segment.save(force_insert=True)
    url = f"{S}processes/add/?seg={segment.pk}"

    assert f'value="{process.pk}"' in client.get(url).content.decode()
    looked = client.post(url, {"process": process.pk, "pace": "0", "do": "look"}).content.decode()
    assert "1 would come in" in looked
    assert "Paid already" in looked
    assert not BulkAdd.objects.exists()
    assert not Enrolment.objects.exists()

    answer = client.post(url, {"process": process.pk, "pace": "0", "do": "start"})
    assert answer.status_code == 303
    while run_waiting():
        pass
    page = client.get(answer.headers["Location"]).content.decode()
    assert "Done." in page
    assert "2 of 2 looked at, 1 in" in page
    assert paid.number in page
    assert list(Enrolment.objects.values_list("subject_id", flat=True)) == [order.pk]


def test_picked_orders_lead_there_and_it_is_paused_and_ended(shop: Shop, client: Client) -> None:
    process = make_process(shop, nodes={"n1": {"t": "end"}}, goals=[{"on": "order.paid"}])
    order = make_order(shop)
    foreign = make_order(make_shop())

    sent = client.post(f"{S}orders/bulk/", {"row": [order.pk, foreign.pk], "do": "move"})
    assert (sent.status_code, sent.headers["Location"]) == (
        303,
        f"{S}processes/add/?about=orders&rows={order.pk}",
    )
    started = client.post(
        sent.headers["Location"], {"process": process.pk, "pace": "60", "do": "start"}
    ).headers["Location"]
    for to, state in (("paused", "paused"), ("running", "running"), ("cancelled", "cancelled")):
        client.post(f"{started}change/", {"to": to})
        assert BulkAdd.objects.get().state == state
    assert "Ended before all were looked at." in client.get(started).content.decode()
    assert not Enrolment.objects.exists()
