"""How a staff view begins: who is it, in which shop, with which right; and at what time."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from recoup.accounts.models import User
from recoup.accounts.roles import Right
from recoup.core.clock import trade_now
from recoup.shops.access import RightMissing, Seat, access_shop, shops_of
from recoup.shops.models import Shop

P = ParamSpec("P")


class StaffRequest(HttpRequest):
    """A request with a signed-in person, the seat they sit on and the shop's time."""

    user: User
    seat: Seat
    now: datetime


StaffView = Callable[Concatenate[StaffRequest, Seat, P], HttpResponse]


def staff(right: Right | None) -> Callable[[StaffView[P]], Callable[..., HttpResponse]]:
    """Open a view to people who work in the shop of its address and have a right; `None` asks for a seat only.

    The view gets the request (with `now` and `seat`) and the seat; queries see this shop alone. A stranger is sent to
    sign in, a foreign shop is 404, a missing right 403.
    """

    def decorate(view: StaffView[P]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def wrapped(request: HttpRequest, shop: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            try:
                seat = access_shop(request.user, shop, right)
            except RightMissing:
                return render(request, "403.html", status=403)
            asked = cast("StaffRequest", request)
            asked.seat, asked.now = seat, trade_now()
            with scope(shop=seat.shop), timezone.override(zone_of(seat.shop)):
                return view(asked, seat, *args, **kwargs)

        cast("Any", wrapped).right = right
        return wrapped

    return decorate


def zone_of(shop: Shop) -> ZoneInfo:
    """Return the zone that a shop's days and hours are read in."""
    try:
        return ZoneInfo(shop.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def signed_in(view: Callable[Concatenate[HttpRequest, P], HttpResponse]) -> Callable[..., HttpResponse]:
    """Open a view to everybody who is signed in: personal preferences, the choice of a shop."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    return wrapped


def first_page(request: HttpRequest) -> HttpResponse:
    """Lead to the person's shop, to the wizard on the very first visit, or to sign in."""
    if not User.objects.exists():
        return redirect("wizard")
    if not request.user.is_authenticated:
        return redirect_to_login("/")
    shops = shops_of(request.user)
    if not shops:
        return render(request, "403.html", status=403)
    return redirect(reverse("web:home", args=[shops[0].slug]))
