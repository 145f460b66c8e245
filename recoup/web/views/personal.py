"""What a person chooses for themselves: language and appearance."""

from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from recoup.accounts.models import User
from recoup.web.doors import signed_in

LANGUAGE_COOKIE_AGE = 365 * 24 * 3600


def way_back(request: HttpRequest) -> str:
    """Return where to go on, on this installation only (T58)."""
    wanted = request.POST.get("next", "/")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return wanted if is_ours and wanted.startswith("/") else "/"


@require_POST
@signed_in
def preferences(request: HttpRequest) -> HttpResponse:
    """Keep language and theme of the signed-in person."""
    user = cast("User", request.user)
    language, theme = request.POST.get("language", ""), request.POST.get("theme", "")
    if language in dict(settings.LANGUAGES):
        user.language = language
    if theme in User.Theme.values:
        user.theme = theme
    user.save(update_fields=["language", "theme"])
    return redirect(way_back(request))


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Keep the language chosen under an entrance page: in a cookie, and with the person if one is signed in."""
    response = redirect(way_back(request))
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES):
        if request.user.is_authenticated:
            User.objects.filter(pk=request.user.pk).update(language=language)
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=LANGUAGE_COOKIE_AGE,
            secure=settings.IS_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response
