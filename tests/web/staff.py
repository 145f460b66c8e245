"""A shop with a clock, and people who are signed in to it."""

from django.test import Client
from django_scopes import scopes_disabled

from recoup.accounts.models import User
from recoup.shops.models import Membership, Shop


def sign_in(shop: Shop, role: str = "owner", *, name: str = "Anna Kowalska") -> Client:
    """Return a browser of somebody new who works in the shop."""
    user = User.objects.create_user(
        f"{name.split(maxsplit=1)[0].lower()}@{shop.slug}.example", None, name=name
    )
    with scopes_disabled():
        Membership(shop=shop, user=user, role=role).save(force_insert=True)
    client = Client()
    client.force_login(user)
    # What is written at the first visit is there; a test counts what every visit asks.
    session = client.session
    session["places"] = ["home", "orders", "recovery", "customers", "processes", "messages"]
    session.save()
    return client
