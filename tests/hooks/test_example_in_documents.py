"""The example that we print for makers of shops is run as it is printed."""

import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from recoup.core.clock import real_now
from recoup.integrations.generic import contract, webhook
from recoup.shops.ports import SignatureRefused

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/connect/generic-webhook.md"
SECRET = "whsec_" + "a2V5" * 8


def test_the_printed_example_is_signed_and_says_an_order(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[urllib.request.Request] = []
    monkeypatch.setattr(urllib.request, "urlopen", calls.append)
    names: dict[str, Any] = {"ADDRESS": "https://recoup.example.com/hooks/k", "SECRET": SECRET}
    for block in re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL):
        exec(block, names)

    (call,) = calls
    headers = {name.lower(): value for name, value in call.header_items()}
    body = call.data
    assert isinstance(body, bytes)
    webhook.check_signature((SECRET,), body, headers, now=real_now())
    with pytest.raises(SignatureRefused):
        webhook.check_signature((SECRET,), body + b" ", headers, now=real_now())
    event = contract.OrderEvent.model_validate_json(body)
    assert (event.data.id, event.data.total, event.data.items[0].name) == ("1001", "149.00", "Lavender soap")
