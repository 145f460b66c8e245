"""What every staff page needs for its shell."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_scopes import scope

from recoup.accounts.roles import Right
from recoup.core.clock import trade_now
from recoup.core.installation import get_installation
from recoup.messaging.models import MailAccount
from recoup.shops.access import Seat, shops_of
from recoup.web.shell import DemoClock, Notice, Person, Shell, ShopChoice, nav_items

_PLACE_RIGHTS = {
    "home": Right.SEE_ORDERS,
    "orders": Right.SEE_ORDERS,
    "recovery": Right.SEE_ORDERS,
    "tasks": Right.SEE_ORDERS,
    "customers": Right.SEE_CUSTOMERS,
    "processes": Right.SEE_PROCESSES,
    "offers": Right.SEE_PROCESSES,
    "messages": Right.SEE_PROCESSES,
    "reports": Right.SEE_REPORTS,
    "settings": Right.EDIT_PROCESSES,
}


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the shell of a staff page and the shop's time; nothing for pages outside of a shop."""
    seat: Seat | None = getattr(request, "seat", None)
    if seat is None:
        return {}
    now = getattr(request, "now", None) or trade_now()
    with scope(shop=seat.shop):  # pages of errors are rendered after the view has left its shop
        return {"shell": _shell(request, seat, now), "now": now, "seat": seat}


def _shell(request: HttpRequest, seat: Seat, now: Any) -> Shell:
    slug, user = seat.shop.slug, seat.user

    def url_of(key: str) -> str:
        return reverse(f"web:{key}", args=[slug])

    return Shell(
        nav=nav_items(
            url_of=url_of,
            path=request.path,
            allowed={place for place, right in _PLACE_RIGHTS.items() if seat.may(right)},
        ),
        shops=[
            ShopChoice(shop.name, reverse("web:home", args=[shop.slug]), shop.pk == seat.shop.pk)
            for shop in shops_of(user)
        ],
        person=Person(str(user), user.email, str(seat.role.label), user.language, user.theme),
        search_url=url_of("search"),
        preferences_url=reverse("preferences"),
        sign_out_url=reverse("account_logout"),
        account_url=reverse("mfa_index"),
        new_shop_url=reverse("new_shop") if seat.may(Right.MANAGE_SHOP) else "",
        languages=list(settings.LANGUAGES),
        demo=DemoClock(now, reverse("demo_clock"), url_of("demo_mailbox")) if settings.IS_DEMO else None,
        notices=_notices(seat, url_of),
    )


def _way(seat: Seat, label: Any, url: str) -> dict[str, Any]:
    """Return the link of a notice for those who may follow it; the others only read what is the matter."""
    return {"action_label": label, "action_url": url} if seat.may(Right.MANAGE_SHOP) else {}


def _notices(seat: Seat, url_of: Callable[[str], str]) -> list[Notice]:
    """Return what stays above every page until its cause is gone (B7, R19)."""
    found = []
    if get_installation().silenced_at is not None:
        found.append(
            Notice(
                _(
                    "This copy is silent: nothing is sent until an owner confirms that no other copy is running."
                ),
                tone="failed",
                **_way(seat, _("Look and confirm"), url_of("checks")),
            )
        )
    account = MailAccount.objects.filter(shop=seat.shop).first()
    if account is None or not account.host or not account.from_email:
        found.append(
            Notice(
                _("No mail server is set up. Reminders wait and are not lost."),
                tone="failed",
                is_setup=True,
                **_way(seat, _("Set up mail"), url_of("mail")),
            )
        )
    if seat.shop.live_since is None:
        found.append(
            Notice(
                _("Test mode: everything runs and nothing is sent."),
                tone="due",
                icon="flag",
                is_setup=True,
                **_way(seat, _("Go live"), url_of("go_live")),
            )
        )
    return found
