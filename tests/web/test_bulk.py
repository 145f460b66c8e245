"""Many are put into a process from a segment or from picked orders: looked at, started, watched, ended."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.processes.bulk.adding import run_waiting
from recoup.processes.bulk.models import BulkAdd
from recoup.processes.models import Enrolment, Process
from recoup.segments.models import Segment
from recoup.shops.models import Shop
from recoup.web.shown import picking
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import HOUR, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
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


def test_a_pace_tells_when_the_last_comes_in_and_a_stopped_process_is_gone_on_with(
    shop: Shop, client: Client
) -> None:
    process = make_process(shop, nodes={"n1": {"t": "end"}}, goals=[{"on": "order.paid"}])
    rows = ",".join(str(make_order(shop).pk) for _ in range(3))
    url = f"{S}processes/add/?about=orders&rows={rows}"
    page = client.post(url, {"process": process.pk, "pace": "60", "do": "start"}).headers["Location"]
    run_waiting()
    assert "1 of 3 looked at, 1 in" in client.get(page).content.decode()
    assert re.search(r"60 an hour: the last comes in [^,]*\d\d:\d\d", client.get(page).content.decode())

    Process.objects.filter(pk=process.pk).update(status="stopped")
    set_clock(NOW + HOUR)
    run_waiting()
    assert "Switch the process on, then go on." in client.get(page).content.decode()
    Process.objects.filter(pk=process.pk).update(status="live")
    client.post(f"{page}change/", {"to": "running"})
    run_waiting()
    assert BulkAdd.objects.get().added == 2


def start(client: Client, url: str, process: Process) -> BulkAdd:
    answer = client.post(url, {"process": process.pk, "pace": "0", "do": "start"})
    assert answer.status_code == 303, answer.content.decode()[-2000:]
    return BulkAdd.objects.latest("id")


def test_picked_customers_and_all_of_a_filter_are_moved(shop: Shop, client: Client) -> None:
    process = make_process(shop, nodes={"n1": {"t": "end"}}, entry={"on": "manual"}, goals=[])
    anna, bert, cilli = (make_contact(shop, name=name) for name in ("Una Ant", "Bert Bee", "Cilli Cat"))
    stranger = make_contact(make_shop(), name="Anna Else")

    page = client.get(f"{S}customers/").content.decode()
    assert f'name="row" value="{anna.pk}"' in page
    assert "all=1" not in page  # without a filter that would be everybody
    found = client.get(f"{S}customers/", {"q": "Ant"}).content.decode()
    url = re.search(r'href="([^"]*all=1[^"]*)"', found)
    assert url is not None

    assert start(client, url[1].replace("&amp;", "&"), process).keys == [anna.pk]
    picked = f"{S}processes/add/?about=customers&row={bert.pk}&row={cilli.pk}&row={stranger.pk}"
    assert "3 picked" in client.get(picked).content.decode()
    run = start(client, picked, process)
    while run_waiting():
        pass
    run.refresh_from_db()
    assert (run.done, run.added) == (2, 2)  # who is of another shop is nobody here
    inside = set(Enrolment.objects.values_list("subject_id", flat=True))
    assert inside == {anna.pk, bert.pk, cilli.pk}


def test_cases_are_moved_as_their_orders_or_their_carts_but_not_both(shop: Shop, client: Client) -> None:
    process = make_process(shop, nodes={"n1": {"t": "end"}}, goals=[{"on": "order.paid"}])
    orders = [make_order(shop) for _ in range(2)]
    cases = [make_case(order) for order in orders]
    cart = make_cart(shop, contact=make_contact(shop))
    of_cart = make_case(cart)

    page = client.get(f"{S}recovery/", {"kind": "order", "v": "all"}).content.decode()
    url = re.search(r'href="([^"]*all=1[^"]*)"', page)
    assert url is not None
    assert start(client, url[1].replace("&amp;", "&"), process).keys == [one.pk for one in orders]
    one = start(client, f"{S}processes/add/?about=cases&row={cases[1].pk}", process)
    assert (one.about, one.keys) == (1, [orders[1].pk])

    mixed = client.get(f"{S}processes/add/?about=cases&row={cases[0].pk}&row={of_cart.pk}")
    assert (mixed.status_code, mixed.headers["Location"]) == (303, f"{S}recovery/")
    assert "Orders and carts" in client.get(mixed.headers["Location"]).content.decode()


def test_more_than_can_be_picked_is_refused(
    shop: Shop, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picking, "MOST_PICKED", 1)
    for _ in range(2):
        make_contact(shop, name="Anna Ant")

    answer = client.get(f"{S}processes/add/?about=customers&all=1&q=Anna")

    assert (answer.status_code, answer.headers["Location"]) == (303, f"{S}customers/?q=Anna")
    assert "more than 1" in client.get(answer.headers["Location"]).content.decode()


def test_a_process_leads_to_the_segments_and_is_chosen_then(shop: Shop, client: Client) -> None:
    process = make_process(shop, nodes={"n1": {"t": "end"}}, goals=[{"on": "order.paid"}])
    asked = {"f": "order.total", "op": ">", "v": 1}
    segment = Segment(shop=shop, name="All orders", about=1, condition=asked, changed_at=NOW)
    segment.save(force_insert=True)

    url = f"{S}processes/add/?process={process.pk}"
    assert f'href="{url}"' in client.get(f"{S}processes/{process.pk}/").content.decode()
    sent = client.get(url)
    assert sent.headers["Location"] == f"{S}segments/?process={process.pk}"
    page = client.get(sent.headers["Location"]).content.decode()
    chosen = f"{S}processes/add/?seg={segment.pk}&amp;process={process.pk}"
    assert f'href="{chosen}"' in page
    form = client.get(chosen.replace("&amp;", "&")).content.decode()
    assert f'<option value="{process.pk}" selected' in form
    assert not BulkAdd.objects.exists()
