"""What a new shop starts with: texts, processes in test mode, and nothing sent (B6, T3)."""

from datetime import datetime

from django.db import transaction
from django_scopes import scope

from recoup.accounts.models import User
from recoup.messaging import templates
from recoup.messaging.models import MailAccount
from recoup.processes import actions as processes
from recoup.shops.actions import NewShop, create_shop
from recoup.shops.models import Shop


def found_shop(order: NewShop, *, owner: User, now: datetime) -> Shop:
    """Make a shop that is ready to go live: owner, shipped texts, shipped processes in test mode.

    :raises ValidationError: by field, in words for the person.
    """
    with transaction.atomic():
        shop = create_shop(order, owner=owner, now=now)
        with scope(shop=shop):
            MailAccount.objects.create(shop=shop, from_name=shop.name, from_email=shop.email)
            templates.install_shipped(shop, now=now)
            processes.install_shipped(shop, now=now)
    return shop
