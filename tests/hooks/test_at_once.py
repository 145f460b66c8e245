"""In a quiet hour an order is there as soon as it is answered; under load taking in comes first."""

import pytest
from django.test import Client

from recoup.core.models import InboxItem
from recoup.hooks import apply, at_once
from recoup.shops.models import Source
from tests.hooks.calls import body_of, order_data, send

IS_QUIET = at_once.is_quiet


def test_quiet_calls_are_applied_at_once_and_busy_ones_kept(
    client: Client, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_once, "is_quiet", IS_QUIET)
    monkeypatch.setattr(at_once, "QUIET_SECONDS", 600.0)  # however slow the machine, these come fast
    at_once.forget()

    for number in range(5):
        send(client, source, body_of("order.created", **order_data(f"A{number}")))

    states = list(InboxItem.objects.order_by("id").values_list("state", flat=True))
    assert states == ["applied", "applied", "new", "new", "new"]
    assert apply.apply_waiting() == 3


def test_failure_of_applying_does_not_change_the_answer(
    client: Client, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_item_id: int, **_options: object) -> None:
        raise RuntimeError("no luck")

    monkeypatch.setattr(at_once, "is_quiet", lambda: True)
    monkeypatch.setattr(at_once, "apply_item", broken)

    answer = send(client, source, body_of("order.created", **order_data()))

    assert (answer.status_code, InboxItem.objects.get().state) == (200, "new")
