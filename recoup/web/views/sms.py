"""Short messages: the account with a provider, a test to one's own number, and what the provider says about the money."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recoup.accounts.roles import Right
from recoup.core.money import Money
from recoup.customers.normalise import phone_key
from recoup.integrations.sms_channel import hook_url
from recoup.messaging.accounts import find_sms_account
from recoup.messaging.channels import accountant
from recoup.messaging.models import ChannelKind, Lane, SmsAccount, SmsDay
from recoup.messaging.ports import LineTrouble
from recoup.messaging.previews import send_text
from recoup.messaging.sender import ranges
from recoup.messaging.sender.spending import day_of
from recoup.shops.access import Seat
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.sms import SmsForm
from recoup.web.parts import Link
from recoup.web.views.settings import crumbs, note
from recoup.web.views.trials import send_and_tell


@require_http_methods(["GET", "POST"])
@staff(Right.MANAGE_SHOP)
def sms(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show and change how the shop sends short messages. A lane that had stopped over it starts again."""
    account = find_sms_account(seat.shop.pk) or SmsAccount(shop=seat.shop, currency=seat.shop.currency)
    asked = request.POST.get("provider") or request.GET.get("provider")
    provider = asked if asked in SmsAccount.Provider.values else account.provider
    form = SmsForm(request.POST or None, instance=account, provider=provider)
    stored = account.provider if account.pk is not None else ""
    if request.method == "POST" and form.is_valid():
        form.save()
        Lane.objects.filter(shop=seat.shop, channel=ChannelKind.SMS).update(
            in_trouble_since=None, trouble="", backoff_seconds=0, next_at=None
        )
        note(seat, request, "messaging.sms.changed", fields=sorted(set(form.changed_data) - {"secret"}))
        messages.success(request, _("Saved. Send a test to see whether it works."))
        return redirect("web:sms", seat.shop.slug)
    context = _context(request, seat, form, account) | _providers(seat, stored, provider)
    return render(request, "web/settings/sms.html", context, status=422 if form.errors else 200)


def _context(request: StaffRequest, seat: Seat, form: SmsForm, account: SmsAccount) -> dict[str, Any]:
    today, _tomorrow = day_of(account, request.now)
    held = ranges.held_ranges(seat.shop.pk, today)
    day = SmsDay.objects.filter(shop=seat.shop, day=today).first()
    lane = Lane.objects.filter(shop=seat.shop, channel=ChannelKind.SMS).first()
    return {
        "heading": _("Short messages"),
        "lead": _("Reminders by SMS, over your own account with a provider."),
        "crumb_links": crumbs(seat),
        "form": form,
        "units": dict.fromkeys(
            ("price_per_part", "daily_cap"), str(form["currency"].value() or "").upper()[:3]
        ),
        "form_parts": {"currency": _("What it costs"), "daily_cap": _("What may be spent")},
        "is_set_up": account.pk is not None and account.is_set_up,
        "test_url": reverse("web:sms_test", args=[seat.shop.slug]),
        "check_url": reverse("web:sms_check", args=[seat.shop.slug]),
        "test_to": seat.shop.phone,
        "balance": account.balance,
        "balance_at": account.balance_at,
        "spent": Money(day.spent, account.currency) if day is not None else None,
        "release_url": reverse("web:sms_release", args=[seat.shop.slug]),
        "held": held,
        "are_several_held": sum(not one.is_released for one in held) > 1,
        "sent_today": day.messages if day is not None else 0,
        "reply_url": hook_url(account, "reply"),
        "trouble": lane.trouble if lane is not None else "",
    }


def _providers(seat: Seat, stored: str, chosen: str) -> dict[str, Any]:
    """Return the providers as links; each shows only the fields of its own."""
    url, names = reverse("web:sms", args=[seat.shop.slug]), dict(SmsAccount.Provider.choices)
    links = [
        Link(
            _("%(provider)s, in use") % {"provider": name} if code == stored else name,
            f"{url}?provider={code}",
            code == chosen,
        )
        for code, name in names.items()
    ]
    is_other = bool(stored) and stored != chosen
    return {
        "providers": links,
        "provider": chosen,
        "provider_name": names[chosen],
        "guide": f"docs/connect/{chosen}.md",
        "provider_now": names[stored] if is_other else "",
        "is_demo": settings.IS_DEMO,
    }


@require_POST
@staff(Right.MANAGE_SHOP)
def sms_check(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Ask the provider what is left, which also tells whether it knows us."""
    account = find_sms_account(seat.shop.pk)
    if account is None or not account.is_set_up:
        messages.error(request, _("Fill in the provider and the sender first."))
        return redirect("web:sms", seat.shop.slug)
    try:
        standing = accountant(account.provider).standing(account)
    except LineTrouble as trouble:
        messages.error(request, _("The provider could not be used: %(reason)s") % {"reason": trouble.reason})
        return redirect("web:sms", seat.shop.slug)
    SmsAccount.objects.filter(pk=account.pk).update(
        balance=standing.balance[:40], balance_at=request.now, checked_at=request.now
    )
    messages.success(request, _("The provider knows you."))
    return redirect("web:sms", seat.shop.slug)


@require_POST
@staff(Right.MANAGE_SHOP)
def sms_test(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Send a few words to a number of one's own. It takes its part of the day's money and counts nowhere else."""
    number = phone_key(request.POST.get("to", ""), seat.shop.country)
    text = _("Test of %(shop)s: it works.") % {"shop": seat.shop.name}
    send_and_tell(request, ChannelKind.SMS, lambda: send_text(seat.shop, number, text, now=request.now))
    return redirect("web:sms", seat.shop.slug)


@require_POST
@staff(Right.MANAGE_SHOP)
def sms_release(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Let the messages to numbers that begin alike go, or all that are held up, for the rest of the day."""
    asked = request.POST.get("range", "")
    range_id = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
    account = find_sms_account(seat.shop.pk) or SmsAccount(shop=seat.shop)
    today, _tomorrow = day_of(account, request.now)
    is_all = asked == "all"
    gone = ranges.release(
        seat.shop.pk, None if is_all else range_id, day=today, user_id=seat.user.pk, now=request.now
    )
    if gone:
        note(seat, request, "messaging.sms.range_released", prefix=", ".join(map(ranges.written, gone)))
        messages.success(
            request,
            _("All messages that were held up go out again today, as far as the day\u2019s money reaches.")
            if is_all
            else _("Messages to %(range)s go out again today, as far as the day\u2019s money reaches.")
            % {"range": ranges.written(gone[0])},
        )
    else:
        messages.info(request, _("Nothing is held up there any more."))
    return redirect("web:sms", seat.shop.slug)
