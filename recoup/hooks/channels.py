"""The door for calls of providers that carry our messages: what became of them, and what people answer.

A call is applied at once and answered when it is: providers try again until they hear so. Where a provider signs, the
signature is checked over the exact public address; where none is, the secret part of the address lets it in, which is why
a GET may write here, and only here: no mail ever holds such an address.
"""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from django_scopes import scopes_disabled

from recoup.core.clock import trade_now
from recoup.core.fields import SecretUnreadable
from recoup.core.public_address import public_addresses
from recoup.hooks import limits
from recoup.messaging.channels import teller
from recoup.messaging.models import SmsAccount
from recoup.messaging.ports import Call, CallRefused
from recoup.messaging.reports import record_told

LARGEST_BODY = 64 * 1024


@csrf_exempt
@require_http_methods(["GET", "POST"])
def receive_channel_call(request: HttpRequest, key: str, what: str) -> HttpResponse:
    """Take in a call at `/hooks/channels/<key>/<report or reply>`."""
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if not (length.isascii() and length.isdigit()) or int(length) > LARGEST_BODY:
        return HttpResponse(status=413)
    if what not in {"report", "reply"}:
        return HttpResponse(status=404)
    with scopes_disabled():
        try:
            account = SmsAccount.objects.select_related("shop").filter(hook_key=key).first()
        except SecretUnreadable:
            return HttpResponse(status=503, headers={"Retry-After": "30"})
        if account is None:
            return limits.refuse(request, key, 404)
        now = trade_now()
        try:
            told = teller(account.provider).read_call(account, _call(request), now=now)
        except CallRefused:
            return limits.refuse(request, key, 401)
        record_told(account, told, now=now)
    return HttpResponse(told.reply, content_type=told.content_type)


def _call(request: HttpRequest) -> Call:
    form = {name: [str(value) for value in request.POST.getlist(name)] for name in request.POST}
    query = {name: request.GET.getlist(name) for name in request.GET}
    return Call(
        method=request.method or "",
        urls=[f"{base}{request.get_full_path()}" for base in public_addresses()],
        headers={name.lower(): value for name, value in request.headers.items()},
        params={**query, **form},
        form=form,
    )
