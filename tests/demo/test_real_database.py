"""The demo keeps away from a database with shops of real people."""

from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.demo.seed import NotTheDemo, start_demo
from tests.factories.messages import make_mail_account
from tests.factories.shops import make_shop


@pytest.mark.django_db
def test_a_demo_on_a_real_database_is_refused_and_changes_nothing(settings: Any) -> None:
    settings.IS_DEMO = True
    account = make_mail_account(make_shop(), port=587)
    with pytest.raises(NotTheDemo):
        start_demo()
    with scopes_disabled():
        account.refresh_from_db()
    assert account.port == 587
