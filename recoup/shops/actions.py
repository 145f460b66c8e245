"""What changes shops and their staff. Sources: `sources`."""

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from recoup.accounts.models import User
from recoup.accounts.roles import Role
from recoup.core import activity
from recoup.core.activity import Actor
from recoup.core.money import CurrencyUnknown, parse_currency
from recoup.core.search import normalise
from recoup.shops.models import RESERVED_SLUGS, Membership, Shop


class LastOwner(Exception):
    """A shop keeps at least one owner (T129)."""


@dataclass(frozen=True, slots=True)
class NewShop:
    """What the wizard asks of a shop."""

    name: str
    currency: str
    locale: str
    time_zone: str
    country: str = ""
    email: str = ""
    phone: str = ""


def create_shop(order: NewShop, *, owner: User, now: datetime) -> Shop:
    """Make a shop in test mode with its owner.

    :raises ValidationError: by field, in words for the person.
    """
    problems: dict[str, str] = {}
    if not order.name.strip():
        problems["name"] = _("Give the shop a name.")
    try:
        currency = parse_currency(order.currency)
    except CurrencyUnknown:
        currency, problems["currency"] = "", _("Choose a currency.")
    if order.time_zone not in available_timezones():
        problems["time_zone"] = _("Choose a time zone.")
    if problems:
        raise ValidationError(problems)
    with transaction.atomic():
        shop = Shop.objects.create(
            slug=_free_slug(order.name),
            name=order.name.strip()[:120],
            currency=currency,
            locale=order.locale,
            time_zone=order.time_zone,
            country=order.country.upper()[:2],
            email=order.email,
            phone=order.phone[:40],
        )
        Membership.objects.create(shop=shop, user=owner, role=Role.OWNER)
        activity.record(
            "shops.shop.created",
            shop_id=shop.pk,
            subject=("shop", shop.pk),
            at=now,
            actor=Actor("person", owner.pk),
        )
    return shop


def _free_slug(name: str) -> str:
    base = slugify(normalise(name))[:50].strip("-") or "shop"
    base = re.sub(r"^(" + "|".join(RESERVED_SLUGS) + r")$", r"\1-shop", base)
    taken = set(Shop.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(
        slug for slug in (base, *(f"{base}-{number}" for number in range(2, 10_000))) if slug not in taken
    )


def set_role(membership: Membership, role: str | None, *, actor: Actor, now: datetime) -> None:
    """Give a colleague another role, or remove them with `None`.

    :raises LastOwner: if no owner would be left.
    """
    with transaction.atomic():
        Shop.objects.select_for_update(no_key=True).get(pk=membership.shop_id)
        owners = Membership.objects.filter(shop_id=membership.shop_id, role=Role.OWNER).exclude(
            pk=membership.pk
        )
        if membership.role == Role.OWNER and role != Role.OWNER and not owners.exists():
            raise LastOwner
        if role is None:
            Membership.objects.filter(pk=membership.pk).delete()
        else:
            Membership.objects.filter(pk=membership.pk).update(role=role)
        activity.record(
            "shops.membership.changed",
            shop_id=membership.shop_id,
            subject=("user", membership.user_id),
            at=now,
            actor=actor,
            was=membership.role,
            to=role or "removed",
        )
