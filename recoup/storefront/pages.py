"""How a buyers' page is answered: the shop's face, no cookie, no script, nothing cached, nothing told to others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template import loader
from django.urls import reverse

from recoup.shops.models import Shop


@dataclass(frozen=True, slots=True)
class Face:
    """What a buyer sees of a shop; a logo only from our own address, so that no third party learns of the visit."""

    name: str
    phone: str
    email: str
    address: str
    logo_url: str


def face_of(shop: Shop) -> Face:
    """Return the face of a shop."""
    is_ours = shop.logo_url.startswith(f"{settings.PUBLIC_URL}/")
    return Face(shop.name, shop.phone, shop.email, shop.address, shop.logo_url if is_ours else "")


def theme_url(shop: Shop) -> str:
    """Return the address of the stylesheet of the shop's colour; a new colour is a new address."""
    return f"{reverse('storefront:theme', args=[shop.slug])}?c={shop.colour.removeprefix('#')}"


def page(
    shop: Shop | None,
    template: str,
    context: Mapping[str, Any],
    *,
    status: int = 200,
    leads_to: Iterable[str] = (),
) -> HttpResponse:
    """Render a page in the language that is active now.

    No context processor runs, so that nothing of a staff session can reach it. `leads_to` are the origins that its form may
    end at by redirect: browsers hold `form-action` against those too.
    """
    values = {
        "shop": face_of(shop) if shop else None,
        "theme_url": theme_url(shop) if shop else "",
        "is_demo": settings.IS_DEMO,
        **context,
    }
    response = HttpResponse(loader.get_template(f"storefront/{template}").render(values), status=status)
    return closed(response, leads_to=leads_to)


def closed(response: HttpResponse, *, leads_to: Iterable[str] = ()) -> HttpResponse:
    """Add the headers that every buyers' page carries (T51, T65, T66)."""
    response.headers["Cache-Control"] = "no-store, private"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    policy = {
        "script-src": ["'none'"],
        "connect-src": ["'none'"],
        "frame-src": ["'none'"],
        "form-action": ["'self'", *leads_to],
    }

    def answer(_request: HttpRequest) -> HttpResponseBase:
        return response

    csp_replace(policy)(answer)(HttpRequest())  # marks the response; its middleware writes the header
    return response


def see_other(address: str) -> HttpResponse:
    """Send the browser on after a POST. The caller has checked a foreign address."""
    return closed(HttpResponse(status=303, headers={"Location": address}))
