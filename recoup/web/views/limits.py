"""How often, when and how fast messages go out: limits of a person, quiet hours and pace of each channel."""

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recoup.accounts.roles import Right
from recoup.messaging.models import ChannelKind, Lane, QuietHours, SendingLimits
from recoup.messaging.sender.limits import zone_of
from recoup.shops.access import Seat
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.settings import LimitsForm, QuietForm
from recoup.web.forms.sms import LaneForm
from recoup.web.keeping_screens import ChannelRules
from recoup.web.views.settings import crumbs, note


@require_http_methods(["GET", "POST"])
@staff(Right.MANAGE_SHOP)
def limits(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Change how often one person may be reminded."""
    row = SendingLimits.objects.filter(shop=seat.shop).first() or SendingLimits(shop=seat.shop)
    form = LimitsForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        form.save()
        note(seat, request, "messaging.limits.changed", **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("web:limits", seat.shop.slug)
    return _show(request, seat, form)


def _show(
    request: StaffRequest,
    seat: Seat,
    form: LimitsForm,
    wrong: dict[str, LaneForm] | None = None,
) -> HttpResponse:
    context = {
        "heading": _("Limits and quiet hours"),
        "lead": _("More than this is put off or left out, and the message says so."),
        "crumb_links": crumbs(seat),
        "form": form,
        "units": {},
        "channels": [_rules(seat, channel, wrong or {}) for channel in ChannelKind.values],
    }
    status = 422 if form.errors or wrong else 200
    return render(request, "web/settings/limits.html", context, status=status)


def _rules(seat: Seat, channel: str, wrong: dict[str, LaneForm]) -> ChannelRules:
    quiet = QuietHours.objects.filter(shop=seat.shop, channel=channel).first()
    initial = {
        "is_on": quiet is not None,
        "starts": quiet.starts if quiet else "22:00",
        "ends": quiet.ends if quiet else "08:00",
        "keeps_holidays": quiet.keeps_holidays if quiet else False,
        "channel": channel,
    }
    quiet_form = QuietForm(initial=initial, auto_id=f"quiet-{channel}-%s")
    pace = wrong.get(channel) or LaneForm(instance=_lane(seat, channel), auto_id=f"pace-{channel}-%s")
    return ChannelRules(
        channel=channel,
        title=ChannelKind(channel).label,
        quiet_form=quiet_form,
        quiet_url=reverse("web:quiet", args=[seat.shop.slug]),
        pace_form=pace,
        pace_url=reverse("web:pace", args=[seat.shop.slug]),
    )


def _lane(seat: Seat, channel: str) -> Lane:
    return Lane.objects.filter(shop=seat.shop, channel=channel).first() or Lane(
        shop=seat.shop, channel=channel
    )


@require_POST
@staff(Right.MANAGE_SHOP)
def quiet(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Change the quiet hours of a channel."""
    channel = request.POST.get("channel", ChannelKind.EMAIL)
    if channel not in ChannelKind.values:
        raise Http404
    form = QuietForm(request.POST, auto_id=f"quiet-{channel}-%s")
    if not form.is_valid():
        messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
        return redirect("web:limits", seat.shop.slug)
    with transaction.atomic():
        QuietHours.objects.filter(shop=seat.shop, channel=channel).delete()
        if form.cleaned_data["is_on"]:
            QuietHours.objects.create(
                shop=seat.shop,
                channel=channel,
                starts=form.cleaned_data["starts"],
                ends=form.cleaned_data["ends"],
                keeps_holidays=form.cleaned_data["keeps_holidays"],
            )
        note(
            seat,
            request,
            "messaging.quiet_hours.changed",
            is_on=form.cleaned_data["is_on"],
            channel=channel,
        )
    messages.success(request, _("Saved."))
    return redirect("web:limits", seat.shop.slug)


@require_POST
@staff(Right.MANAGE_SHOP)
def pace(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Change how fast a channel sends. A warm-up that is typed anew begins today."""
    channel = request.POST.get("channel", ChannelKind.EMAIL)
    if channel not in ChannelKind.values:
        raise Http404
    lane = _lane(seat, channel)
    before = list(lane.warmup)
    form = LaneForm(request.POST, instance=lane, auto_id=f"pace-{channel}-%s")
    if not form.is_valid():
        row = SendingLimits.objects.filter(shop=seat.shop).first() or SendingLimits(shop=seat.shop)
        return _show(request, seat, LimitsForm(instance=row), {channel: form})
    lane = form.save(commit=False)
    if lane.warmup != before:
        lane.warmup_since = (
            request.now.astimezone(zone_of(seat.shop.time_zone)).date() if lane.warmup else None
        )
    lane.burst = max(lane.rate * 10, 1.0)
    lane.next_at = None
    # Not the counters beside them, which the sender moves at this moment.
    lane.save(update_fields=[*form.fields, "warmup_since", "burst", "next_at"] if lane.pk else None)
    note(seat, request, "messaging.pace.changed", channel=channel, warmup=lane.warmup)
    messages.success(request, _("Saved."))
    return redirect("web:limits", seat.shop.slug)
