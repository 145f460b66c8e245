"""The rank of a process among the others, and the group in which one excludes the other."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from recoup.accounts.roles import Right
from recoup.processes.models import Process
from recoup.processes.ranking import set_ranking
from recoup.shops.access import Seat
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.sms import RankForm
from recoup.web.parts import Link
from recoup.web.words import steps


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def rank(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Show and change how a process stands to the others of the shop."""
    one = get_object_or_404(Process.objects.filter(shop=seat.shop), pk=process_id)
    form = RankForm(request.POST or None, initial={"rank": one.priority, "group": one.exclusive_group})
    if request.method == "POST" and form.is_valid():
        set_ranking(
            one,
            rank=form.cleaned_data["rank"],
            group=form.cleaned_data["group"],
            actor=actor_of(seat),
            now=request.now,
        )
        messages.success(request, _("Saved. It holds for people who come in from now on."))
        return see_other(place(seat, "process_rank", one.pk))
    others = Process.objects.filter(shop=seat.shop).exclude(pk=one.pk).order_by("-priority", "name")
    context = {
        "heading": _("Rank and group"),
        "lead": _("How this process stands to the others when both want the same person."),
        "crumb_links": [
            Link(_("Processes"), place(seat, "processes")),
            Link(steps.process_name(one), place(seat, "process", one.pk)),
            Link(_("Rank and group"), ""),
        ],
        "form": form,
        "units": {},
        "others": [
            (
                steps.process_name(other),
                other.priority,
                other.exclusive_group,
                place(seat, "process_rank", other.pk),
            )
            for other in others
        ],
    }
    return render(request, "web/process_rank.html", context, status=422 if form.errors else 200)
