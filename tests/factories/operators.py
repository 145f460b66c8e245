"""Accounts of payment operators."""

from typing import Any

from recoup.payments.models import OperatorAccount
from recoup.shops.models import Shop

SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZS1kZW1vLWJhbms="


def make_operator_account(shop: Shop, **values: Any) -> OperatorAccount:
    """Make an account with the demo bank that opens payments for our pay page."""
    account = OperatorAccount(
        **{
            "shop": shop,
            "kind": "demobank",
            "name": "Demo bank",
            "role": OperatorAccount.Role.INITIATOR,
            "base_url": "http://127.0.0.1:9",
            "secret": SECRET,
            **values,
        }
    )
    account.save(force_insert=True)
    return account
