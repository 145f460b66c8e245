"""Pay sessions when everything happens at the same moment (R29, T72, T73)."""

import random
import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection
from django_scopes import scopes_disabled

from recoup.core.models import AttentionItem
from recoup.orders.models import Order
from recoup.payments import asking, sessions
from recoup.payments.models import Attempt
from recoup.payments.ports import (
    OperatorUnavailable,
    OutcomeUnknown,
)
from recoup.payments.sessions import NotPayable, Opening, SessionNotOpened, SessionUnknown
from recoup.shops.snapshots import AttemptState
from tests.factories.moments import NOW
from tests.factories.orders import make_order
from tests.factories.shops import make_shop
from tests.support.operator import DESK, Desk, opening

pytestmark = pytest.mark.usefixtures("desk")


def _in_threads(steps: list[Callable[[], object]]) -> list[object]:
    """Run steps at the same moment, each on a connection of its own; return what came of them."""
    barrier, outcomes = threading.Barrier(len(steps)), [None] * len(steps)

    def run(number: int, step: Callable[[], object]) -> None:
        try:
            barrier.wait(60)
            with scopes_disabled():
                outcomes[number] = step()  # type: ignore[call-overload]
        except Exception as error:  # noqa: BLE001 - looked at by the test
            outcomes[number] = error  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n, step)) for n, step in enumerate(steps)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return list(outcomes)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [None, OutcomeUnknown(), OperatorUnavailable()])
def test_presses_from_eight_places_at_once_open_one_session(desk: Desk, error: Exception | None) -> None:
    order = make_order(make_shop())
    choice = opening(order)
    desk.next_error, desk.has_effect = error, not isinstance(error, OperatorUnavailable)

    outcomes = _in_threads([lambda: sessions.open_session(order, choice, now=NOW).redirect_url] * 8)
    allowed = (str, SessionUnknown, SessionNotOpened, NotPayable)
    assert [outcome for outcome in outcomes if not isinstance(outcome, allowed)] == []
    final = sessions.open_session(order, choice, now=NOW)

    assert len({outcome for outcome in outcomes if isinstance(outcome, str)} | {final.redirect_url}) == 1
    assert Attempt.objects.filter(order=order, is_open_session=True).count() == 1
    live = [key for key, state in desk.states.items() if state is AttemptState.PENDING]
    assert live == [final.key]


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
def test_no_second_payment_stays_unseen_in_random_interleavings(desk: Desk, is_full_size: bool) -> None:
    """Press, change the method, pay, tell and ask in any order from two sides: two captures are always flagged (R29)."""
    chance = random.Random(20261122)
    doubles = 0
    for _ in range(2000 if is_full_size else 15):
        order = make_order(make_shop())
        choice = opening(order)
        desk.states.clear()
        desk.opened.clear()
        _in_threads([partial(_act, order, choice, chance.random()) for _ in range(2)])
        for key in list(desk.states):
            asking.ask_attempt(Attempt.objects.get(key=key), now=NOW)
        order.refresh_from_db()
        captured = sum(state is AttemptState.SUCCEEDED for state in desk.states.values())
        flagged = AttentionItem.objects.filter(shop_id=order.shop_id, kind="payments.double_payment").exists()
        doubles += captured > 1
        assert (order.captured, flagged) == (149 * captured, captured > 1)
        assert Attempt.objects.filter(order=order, is_open_session=True).count() <= 1
    assert doubles > 0 or not is_full_size  # else nothing was tried


def _act(order: Order, choice: Opening, seed: float) -> None:
    chance = random.Random(seed)
    for _ in range(8):
        deed = chance.choice(["press", "press", "change", "pay", "pay", "tell", "release"])
        session = sessions.find_open_session(order)
        payable = [key for key, state in list(DESK.states.items()) if state is AttemptState.PENDING]
        try:
            if deed == "press":
                sessions.open_session(order, choice, now=NOW)
            elif deed == "pay" and payable:  # in whatever tab it was opened
                DESK.states[chance.choice(payable)] = AttemptState.SUCCEEDED
            elif session is None:
                continue
            elif deed == "change":
                sessions.close_session(session, now=NOW)
            elif deed == "release":
                sessions.release_session(session, user_id=1, now=NOW)
            elif deed == "tell":
                asking.ask_attempt(session, now=NOW)
        except (NotPayable, SessionUnknown, SessionNotOpened, StopIteration):
            continue
