"""Fetch or refuse: the only way a door gets a shop. A foreign shop is not there."""

from dataclasses import dataclass

from django.http import Http404
from django_scopes import scopes_disabled

from recoup.accounts.models import User
from recoup.accounts.roles import RIGHTS, Right, Role
from recoup.shops.models import Membership, Shop


class RightMissing(Exception):
    """The person works here, and their role may not do this: 403."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A person in a shop."""

    user: User
    shop: Shop
    role: Role

    def may(self, right: Right) -> bool:
        """Tell whether the role has a right."""
        return right in RIGHTS[self.role]


def access_shop(user: User, slug: str, right: Right | None = None) -> Seat:
    """Return a person's seat in a shop.

    :raises Http404: if there is no such shop or the person does not work in it: one answer for both.
    :raises RightMissing: if the role may not do what is asked.
    """
    with scopes_disabled():
        membership = Membership.objects.select_related("shop").filter(user=user, shop__slug=slug).first()
    if membership is None:
        raise Http404
    seat = Seat(user, membership.shop, Role(membership.role))
    if right is not None and not seat.may(right):
        raise RightMissing(right)
    return seat


def shops_of(user: User) -> list[Shop]:
    """Return the shops that a person works in, by name."""
    with scopes_disabled():
        rows = Membership.objects.filter(user=user).select_related("shop").order_by("shop__name", "shop_id")
        return [membership.shop for membership in rows]


def shops_with(user: User, right: Right) -> list[Shop]:
    """Return the shops in which a person has a right, by name: what a report over several shops may show."""
    with scopes_disabled():
        rows = Membership.objects.filter(user=user).select_related("shop").order_by("shop__name", "shop_id")
        return [one.shop for one in rows if right in RIGHTS[Role(one.role)]]
