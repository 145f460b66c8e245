"""The stylesheet of a shop's colour."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from recoup.shops.models import Shop
from recoup.storefront.theme import theme_css


@require_safe
def theme(_request: HttpRequest, slug: str) -> HttpResponse:
    """Answer with the shop's colour, readable by day and by night; its address changes with the colour."""
    shop = get_object_or_404(Shop.objects.only("colour"), slug=slug)
    response = HttpResponse(theme_css(shop.colour), content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=604800"
    return response
