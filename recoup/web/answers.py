"""Answers that views share."""

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse

from recoup.core.activity import Actor
from recoup.shops.access import Seat


def see_other(url: str) -> HttpResponse:
    """Lead to a page after a POST: the browser asks for it by GET, so that nothing is posted twice."""
    return HttpResponseRedirect(url, status=303)


def place(seat: Seat, name: str, *args: object) -> str:
    """Return the address of a page of the seat's shop."""
    return reverse(f"web:{name}", args=[seat.shop.slug, *args])


def actor_of(seat: Seat) -> Actor:
    """Return the person who sits there, as activity lines name them."""
    return Actor("person", seat.user.pk)


def place_if(seat: Seat, name: str) -> str:
    """Return the address of a page if this installation has it."""
    try:
        return place(seat, name)
    except NoReverseMatch:
        return ""
