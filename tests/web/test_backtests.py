"""Trying a process on past orders, as a person sees it."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.core.activity import SYSTEM
from recoup.customers.actions import Consent, record_consent
from recoup.processes.backtest.runs import run_waiting
from recoup.processes.drafts import create_process, draft_of, save_draft
from recoup.processes.models import BacktestRun, Process
from recoup.shops.models import Shop
from recoup.web.words.texts import class_words
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process
from tests.factories.shops import make_shop
from tests.factories.templates import make_template
from tests.web.staff import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    set_clock(NOW)
    shop = make_shop(slug="lumen", name="Lumen Candles")
    make_template(shop, key="first")
    return shop


@pytest.fixture
def process(shop: Shop) -> Process:
    """Four imported orders of three people: one pays before the message, one after it, one pays at once, one never."""
    anna = make_contact(shop)
    placed = NOW - 20 * DAY
    make_order(shop, contact=anna, products=["a"], placed_at=placed, is_backfill=True)
    make_order(shop, placed_at=placed, is_backfill=True, paid_at=placed + 30 * HOUR)
    make_order(shop, placed_at=placed, is_backfill=True, paid_at=placed + 60 * HOUR)
    make_order(shop, placed_at=placed, is_backfill=True, paid_at=placed + HOUR)
    return make_process(shop, name="Gentle")


def text(html: str) -> str:
    """Return what a page says."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def start(client: Client, process: Process, **posted: str) -> str:
    """Ask for a try; return where it leads."""
    answer = client.post(f"/s/lumen/processes/{process.pk}/try/", {"period": "30", **posted})
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def test_a_time_without_orders_is_said_in_words(shop: Shop) -> None:
    client = sign_in(shop)
    place = start(
        client, make_process(shop, name="Gentle"), period="own", first="2020-01-01", last="2020-01-07"
    )
    run_waiting()
    done = text(client.get(place).content.decode())

    assert "There is no order in these days to try it on." in done
    assert ("Nobody would have come in." in done, "All came in." in done) == (True, False)


def test_result_says_who_would_have_got_what(shop: Shop, process: Process) -> None:
    client = sign_in(shop)
    place = start(client, process)
    waiting = text(client.get(place).content.decode())
    run_waiting()
    done = text(client.get(place).content.decode())

    assert "Waiting for its turn" in waiting
    assert (
        "Of 4 orders, 2 people would have got 2 messages; 1 had paid by themselves before the first one."
        in done
    )
    assert "Paid before the waiting time was over 1" in done
    assert "Whether anybody would have paid because of it" in done
    assert "When imported orders would have been heard of ( 4 )" in done


def test_samples_lead_to_their_orders(shop: Shop, process: Process) -> None:
    client = sign_in(shop)
    place = start(client, process)
    run_waiting()

    page = client.get(place).content.decode()

    links = re.findall(r'href="(/s/lumen/orders/\d+/)"', page)
    assert len(links) == 3
    assert {client.get(link).status_code for link in links} == {200}


def test_progress_is_shown_while_it_runs_and_stops_asking_when_it_is_done(
    shop: Shop, process: Process
) -> None:
    client = sign_in(shop)
    place = start(client, process)
    BacktestRun.objects.update(state="running", done=120, whole=400, beat_at=NOW)
    running = client.get(place).content.decode()
    BacktestRun.objects.update(state="waiting")
    run_waiting()
    done = client.get(place).content.decode()

    assert 'hx-trigger="every 1s"' in running
    assert "120 of 400" in text(running)
    assert 'hx-trigger="every' not in done


def test_own_days_are_tried_and_impossible_ones_are_refused_in_words(shop: Shop, process: Process) -> None:
    client = sign_in(shop)
    start(client, process, period="own", first="2026-10-01", last="2026-10-20")
    run = BacktestRun.objects.get()
    refused = client.post(
        f"/s/lumen/processes/{process.pk}/try/",
        {"period": "own", "first": "2026-10-20", "last": "2026-10-01"},
    )

    assert (run.since.isoformat(), run.until.isoformat()) == (
        "2026-10-01T00:00:00+00:00",
        "2026-10-21T00:00:00+00:00",
    )
    assert refused.status_code == 422
    assert "The last day lies before the first one." in text(refused.content.decode())
    assert BacktestRun.objects.count() == 1


def test_failed_run_says_so_and_that_nothing_was_changed(shop: Shop, process: Process) -> None:
    client = sign_in(shop)
    place = start(client, process)
    BacktestRun.objects.update(state="failed", trouble="ValueError")

    page = text(client.get(place).content.decode())

    assert "It could not be tried" in page
    assert "Nothing was sent and nothing was changed." in page


def test_carts_are_tried_too(shop: Shop) -> None:
    anna, began = make_contact(shop), NOW - 5 * DAY
    make_cart(shop, contact=anna, is_backfill=True, started_at=began, last_activity_at=began)
    record_consent(anna, [Consent("marketing", True, "checkout", began)], now=began)
    process = make_process(
        shop, entry={"on": "cart.abandoned"}, goals=[{"on": "cart.converted"}], name="Carts"
    )
    client = sign_in(shop)
    place = start(client, process)
    run_waiting()

    page = text(client.get(place).content.decode())

    assert (
        "Of 1 cart, 1 person would have got 1 message; 0 had ordered by themselves before the first one."
        in page
    )


def test_each_reason_leads_to_exactly_the_messages_that_it_counts(shop: Shop, process: Process) -> None:
    for number in range(3):
        nobody = make_contact(shop, email="")
        make_order(shop, contact=nobody, number=f"silent-{number}", placed_at=NOW - 9 * DAY, is_backfill=True)
    client = sign_in(shop)
    place = start(client, process)
    run_waiting()
    page = client.get(place).content.decode()
    found = re.search(
        r'<th scope="row">There is no address for this channel</th>.*?href="([^"]+)">3<', page, re.DOTALL
    )
    assert found is not None
    rows = text(client.get(found[1]).content.decode())
    nothing = text(client.get(f"{place}left-out/?why=nonsense&c=77").content.decode())

    assert [number for number in range(4) if f"silent-{number}" in rows] == [0, 1, 2]
    assert "3 messages" in rows
    assert "None was left out for this reason." in nothing


def test_messages_are_told_by_channel_by_law_and_by_language(shop: Shop, process: Process) -> None:
    anna = make_contact(shop, locale="de")
    make_order(shop, contact=anna, locale="de", placed_at=NOW - 9 * DAY, is_backfill=True)
    client = sign_in(shop)
    place = start(client, process)
    run_waiting()

    page = text(client.get(place).content.decode())

    assert "E-mail 3 3 – –" in page
    assert f"{class_words('contract')} 3" in page
    assert "“First” is missing in German; it would have gone in English 1" in page
    assert "No mail server is set up yet. It is taken that there would have been one." in page


def test_page_of_a_process_leads_to_it_for_those_who_may_change_it(shop: Shop, process: Process) -> None:
    place = f"/s/lumen/processes/{process.pk}/"
    button = f'href="{place}try/"'

    assert button in sign_in(shop).get(place).content.decode()
    assert button not in sign_in(shop, "clerk", name="Bert").get(place).content.decode()


def change_draft(process: Process, template: str) -> None:
    state = draft_of(process)
    nodes = {**state.doc["nodes"], "n2": {**state.doc["nodes"]["n2"], "template": template}}
    save_draft(process, {**state.doc, "nodes": nodes}, lock=state.lock, actor=SYSTEM, now=NOW)


def test_editor_leads_to_trying_the_draft_whose_result_is_shown_as_one_of_a_version(
    shop: Shop, process: Process
) -> None:
    make_template(shop, key="other")
    make_order(
        shop, contact=make_contact(shop, email=""), number="silent", placed_at=NOW - 9 * DAY, is_backfill=True
    )
    change_draft(process, "other")
    client, place = sign_in(shop), f"/s/lumen/processes/{process.pk}/"
    assert f'href="{place}try/?what=draft"' in client.get(f"{place}edit/").content.decode()
    asked = client.get(f"{place}try/?what=draft").content.decode()
    assert re.findall(r'<option value="(draft|version)"( selected)?>([^<]+)<', asked) == [
        ("version", "", "Version 1"),
        ("draft", " selected", "Your draft"),
    ]

    run = start(client, process, what="draft")
    run_waiting()
    change_draft(process, "first")
    page = client.get(run).content.decode()
    left_out = re.search(r'href="([^"]+left-out/[^"]+)"', page)
    assert left_out is not None

    assert "your draft as it was on" in text(page)
    assert "2 people would have got 2 messages" in text(page)
    assert "silent" in text(client.get(left_out[1].replace("&amp;", "&")).content.decode())
    assert "Draft Done" in text(client.get(f"{place}try/").content.decode())
    assert client.post(f"{place}try/", {"period": "30"}).status_code == 422  # which of both is not said


def test_draft_with_problems_is_refused_with_them_and_the_way_to_the_editor(
    shop: Shop, process: Process
) -> None:
    change_draft(process, "gone")

    answer = sign_in(shop).post(f"/s/lumen/processes/{process.pk}/try/", {"period": "30", "what": "draft"})

    page = answer.content.decode()
    assert (answer.status_code, BacktestRun.objects.count()) == (422, 0)
    assert "One thing keeps the draft from running" in text(page)
    assert f'href="/s/lumen/processes/{process.pk}/edit/' in page
    assert "gone" in text(page[page.index("error-summary") :])[:300]


def test_process_that_was_never_published_is_tried_by_its_draft(shop: Shop, process: Process) -> None:
    assert process.current_version is not None
    new = create_process(shop, name="New", start=process.current_version.doc, actor=SYSTEM, now=NOW)
    Process.objects.update(holdout_bp=0)
    client = sign_in(shop)

    assert f"/s/lumen/processes/{new.pk}/try/" in client.get(f"/s/lumen/processes/{new.pk}/").content.decode()
    assert "What is tried: Your draft" in text(
        client.get(f"/s/lumen/processes/{new.pk}/try/").content.decode()
    )
    place = start(client, new)
    run_waiting()
    assert "2 people would have got 2 messages" in text(client.get(place).content.decode())
    assert (
        sign_in(make_shop(slug="other", name="Other"), name="Eve")
        .get(place.replace("lumen", "other"))
        .status_code
        == 404
    )
