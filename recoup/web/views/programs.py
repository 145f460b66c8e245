"""Other programs: the addresses that processes may call, their secrets, a test, and what was given up."""

from django import forms
from django.contrib import messages
from django.db import IntegrityError
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from recoup.accounts.roles import Right
from recoup.core.http import AddressRefused, Client
from recoup.core.installation import is_silenced
from recoup.processes.call_models import WebhookCall, WebhookEndpoint
from recoup.processes.calls import add_endpoint, retry_calls, send
from recoup.shops.access import Seat
from recoup.shops.reasons import words as reason_words
from recoup.web.answers import place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.keeping_screens import ProgramRow
from recoup.web.views.settings import crumbs
from recoup.web.words.texts import SILENT

ONCE = "program_secret_once"
TEST_SECONDS = 8.0


class ProgramForm(forms.Form):
    """An address and its name."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=500,
        help_text=gettext_lazy("It must begin with https:// and be reachable from the internet."),
    )


@require_http_methods(["GET", "POST"])
@staff(Right.MANAGE_SHOP)
def programs(request: StaffRequest, seat: Seat) -> HttpResponse:
    """List the addresses, and add one; its secret is shown once."""
    form = ProgramForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            made = add_endpoint(
                seat.shop, name=typed["name"].strip(), url=typed["url"].strip(), now=request.now
            )
        except AddressRefused as refused:
            form.add_error("url", reason_words(refused.code))
        except IntegrityError:
            form.add_error("name", _("There is one of this name already."))
        else:
            request.session[ONCE] = {"name": made.name, "secret": made.secret}
            return see_other(place(seat, "programs"))
    context = {
        "crumb_links": crumbs(seat),
        "rows": _rows(seat),
        "form": form,
        "once": request.session.pop(ONCE, None),
    }
    return render(request, "web/settings/programs.html", context, status=422 if form.errors else 200)


def _rows(seat: Seat) -> list[ProgramRow]:
    open_calls = WebhookCall.objects.filter(shop=seat.shop, emptied_at=None).exclude(state="done")
    states = open_calls.values_list("endpoint", "state").annotate(count=Count("id"))
    counts = {(endpoint, state): count for endpoint, state, count in states}
    rows = []
    for one in WebhookEndpoint.objects.filter(shop=seat.shop).defer("secret").order_by("name"):
        last = open_calls.filter(endpoint=one).exclude(trouble="").order_by("-id").first()
        rows.append(
            ProgramRow(
                name=one.name,
                url=one.url,
                is_active=one.is_active,
                waiting=counts.get((one.pk, "waiting"), 0),
                given_up=counts.get((one.pk, "dead"), 0),
                trouble=trouble_words(last.trouble) if last is not None else "",
                change_url=place(seat, "program_change", one.pk),
            )
        )
    return rows


def trouble_words(code: str) -> str:
    """Return why a call was not taken."""
    if code.startswith("status_"):
        return _("It answered with status %(status)s.") % {"status": code.removeprefix("status_")}
    own = {
        "demo": _("The demo calls nobody outside of this machine."),
        "switched_off": _("This program is switched off."),
        "secret_unreadable": _(
            "Its secret cannot be read, because the key file of another installation is used. Put the right one back."
        ),
        "broken": _("Something unexpected happened while it was called; the log has the details."),
    }
    return own.get(code) or str(reason_words(code))


@require_POST
@staff(Right.MANAGE_SHOP)
def program_change(request: StaffRequest, seat: Seat, endpoint_id: int) -> HttpResponse:
    """Test an address, take up what was given up, or switch it on and off."""
    one = get_object_or_404(WebhookEndpoint.objects.filter(shop=seat.shop).defer("secret"), pk=endpoint_id)
    match request.POST.get("do"):
        case "test":
            _test(request, one)
        case "retry":
            count = retry_calls(one, now=request.now, user_id=seat.user.pk)
            words = ngettext("%(n)d call is made again.", "%(n)d calls are made again.", count)
            messages.success(request, words % {"n": count})
        case "off" | "on" as to:
            WebhookEndpoint.objects.filter(pk=one.pk).update(is_active=to == "on")
            messages.success(request, _("Switched on.") if to == "on" else _("Switched off."))
    return see_other(place(seat, "programs"))


def _test(request: StaffRequest, one: WebhookEndpoint) -> None:
    if is_silenced():
        messages.error(request, str(SILENT))
        return
    payload = {"type": "test", "at": request.now.isoformat()}
    with Client(seconds=TEST_SECONDS) as client:
        _status, trouble = send(
            client, one, payload, key=f"{one.shop_id}/test/{one.pk}/{request.now:%Y%m%d%H%M%S}"
        )
    if trouble:
        messages.warning(request, trouble_words(trouble))
    else:
        messages.success(request, _("It has taken the test."))
