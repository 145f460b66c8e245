"""Colleagues: who works in the shop, invitations, roles."""

from datetime import datetime, timedelta

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_scopes import scopes_disabled

from recoup.accounts.actions import create_user
from recoup.accounts.models import User
from recoup.accounts.roles import RIGHTS, Right, Role
from recoup.core import links
from recoup.core.activity import Actor
from recoup.core.clock import trade_now
from recoup.core.links import LinkOrder
from recoup.shops.access import Seat
from recoup.shops.actions import LastOwner, set_role
from recoup.shops.models import Invitation, Membership
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.settings import InvitationForm, JoinForm
from recoup.web.keeping_screens import ColleagueRow
from recoup.web.parts import Choice, Confirm
from recoup.web.screens import Action
from recoup.web.views.settings import crumbs, note

PURPOSE = "join"
LIFE = timedelta(days=7)
ONCE = "invitation_shown_once"
_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"

links.register_purpose(PURPOSE, life=LIFE)


def _needs_second_factor(seat: Seat) -> bool:
    """Tell whether the owner must first protect their own account (R35); the demo does without."""
    return not settings.IS_DEMO and not settings.IS_TEST and not is_mfa_enabled(seat.user)


@staff(Right.MANAGE_STAFF)
def people(request: StaffRequest, seat: Seat) -> HttpResponse:
    """List who works here and who is invited."""
    return _show(request, seat, InvitationForm())


def _show(request: StaffRequest, seat: Seat, form: InvitationForm) -> HttpResponse:
    if _needs_second_factor(seat):
        messages.warning(request, _("Protect your own account with a second factor first."))
        return redirect("mfa_index")
    slug = seat.shop.slug
    rows, dialogs = [], []
    memberships = (
        Membership.objects.filter(shop=seat.shop).select_related("user").order_by("user__name", "pk")
    )
    for one in memberships:
        dialog_id = f"role-{one.pk}"
        dialogs.append(_role_dialog(one, dialog_id, reverse("web:person", args=[slug, one.pk])))
        rows.append(
            ColleagueRow(
                name=str(one.user),
                email=one.user.email,
                role=one.get_role_display(),
                last_at=one.user.last_login,
                actions=[Action(_("Change"), icon="pencil", opens=dialog_id, tone="ghost")],
            )
        )
    for invited in Invitation.objects.filter(shop=seat.shop, accepted_at=None).order_by("email"):
        url = reverse("web:uninvite", args=[slug, invited.pk])
        rows.append(
            ColleagueRow(
                name=invited.email,
                email=invited.email,
                role=invited.get_role_display(),
                is_invited=True,
                actions=[Action(_("Take back"), icon="x", url=url, is_post=True, tone="ghost")],
            )
        )
    context = {
        "crumb_links": crumbs(seat),
        "rows": rows,
        "form": form,
        "roles": [role.label for role in Role],
        "rights": [(right.label, [right in RIGHTS[role] for role in Role]) for right in Right],
        "invited": request.session.pop(ONCE, None),
        "invite_url": reverse("web:invite", args=[slug]),
        "dialogs": dialogs,
    }
    return render(request, "web/settings/people.html", context, status=422 if form.errors else 200)


def _role_dialog(one: Membership, dialog_id: str, url: str) -> Confirm:
    options = [*((role.value, str(role.label)) for role in Role), ("", _("Remove from the shop"))]
    return Confirm(
        dialog_id,
        _("Role of %(name)s") % {"name": str(one.user)},
        url,
        _("Change the role"),
        text=_("It counts from the next click of this person on."),
        fields=[Choice("role", _("Role"), options=options)],
    )


@require_POST
@staff(Right.MANAGE_STAFF)
def invite(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Invite a colleague: the link is shown once, to be sent by whatever way they trust."""
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return _show(request, seat, form)
    if _needs_second_factor(seat):
        return redirect("mfa_index")
    email = form.cleaned_data["email"].strip().lower()
    if Membership.objects.filter(shop=seat.shop, user__email=email).exists():
        form.add_error("email", _("This person works here already."))
        return _show(request, seat, form)
    with transaction.atomic():
        invited, _made = Invitation.objects.update_or_create(
            shop=seat.shop,
            email=email,
            accepted_at=None,
            defaults={"role": form.cleaned_data["role"], "invited_by": seat.user, "created_at": request.now},
        )
        links.revoke(seat.shop.pk, "invitation", invited.pk, purposes=[PURPOSE], now=request.now)
        (token,) = links.mint([LinkOrder(PURPOSE, seat.shop.pk, "invitation", invited.pk)], now=request.now)
        note(seat, request, "shops.invitation.made", role=invited.role)
    request.session[ONCE] = {"email": email, "link": links.address(PURPOSE, token)}
    return redirect("web:people", seat.shop.slug)


@require_POST
@staff(Right.MANAGE_STAFF)
def uninvite(request: StaffRequest, seat: Seat, invitation_id: int) -> HttpResponse:
    """Take an invitation back."""
    invited = get_object_or_404(Invitation.objects.filter(shop=seat.shop, accepted_at=None), pk=invitation_id)
    links.revoke(seat.shop.pk, "invitation", invited.pk, purposes=[PURPOSE], now=request.now)
    invited.delete()
    note(seat, request, "shops.invitation.taken_back")
    return redirect("web:people", seat.shop.slug)


@require_POST
@staff(Right.MANAGE_STAFF)
def person(request: StaffRequest, seat: Seat, membership_id: int) -> HttpResponse:
    """Change a colleague's role, or remove them; it counts from their next request."""
    if _needs_second_factor(seat):
        return redirect("mfa_index")
    one = get_object_or_404(Membership.objects.filter(shop=seat.shop), pk=membership_id)
    role = request.POST.get("role", "?")
    if role and role not in Role.values:
        raise Http404
    try:
        set_role(one, role or None, actor=Actor("person", seat.user.pk), now=request.now)
    except LastOwner:
        messages.error(request, _("A shop needs an owner. Make somebody else an owner first."))
    else:
        messages.success(request, _("Changed. It counts from the next click on."))
    if one.user_id == seat.user.pk and role != Role.OWNER:
        return redirect("first_page")
    return redirect("web:people", seat.shop.slug)


@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Accept an invitation: with a new account, or with the one that its address has already."""
    now = trade_now()
    try:
        link = links.resolve(PURPOSE, token, now=now)
    except (links.LinkUnknown, links.LinkExpired) as error:
        raise Http404 from error
    with scopes_disabled():
        open_ones = Invitation.objects.select_related("shop").filter(accepted_at=None)
        invited = get_object_or_404(open_ones, pk=link.subject_id)
        if request.user.is_authenticated:
            return _join_as(request, invited, request.user, now)
        if User.objects.filter(email=invited.email).exists():
            return redirect_to_login(request.get_full_path())
        form = JoinForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            language = (get_language() or "en")[:2]
            try:
                with transaction.atomic():
                    user = create_user(email=invited.email, language=language, **form.cleaned_data)
                    _accept(invited, user, now)
            except ValidationError as error:
                form.add_error("password", error)
            else:
                login(request, user, backend=_BACKEND)
                record_authentication(request, user, method="password", email=user.email)
                return redirect("web:home", invited.shop.slug)
    return _show_invitation(request, invited, form)


def _join_as(request: HttpRequest, invited: Invitation, user: User, now: datetime) -> HttpResponse:
    """Accept an invitation with the account that is signed in; somebody else must sign out first."""
    if user.email != invited.email:
        messages.warning(
            request,
            _("This invitation is for %(email)s. Sign out, then open it again.") % {"email": invited.email},
        )
        return redirect("account_logout")
    if request.method == "POST":
        _accept(invited, user, now)
        return redirect("web:home", invited.shop.slug)
    return _show_invitation(request, invited, forms.Form())


def _show_invitation(request: HttpRequest, invited: Invitation, form: forms.Form) -> HttpResponse:
    context = {
        "steps": [],
        "heading": _("You are invited to %(shop)s") % {"shop": invited.shop.name},
        "lead": _("Your account: %(email)s") % {"email": invited.email},
        "form": form,
        "units": {},
        "submit_label": _("Join"),
    }
    return render(request, "web/wizard.html", context, status=422 if form.errors else 200)


def _accept(invited: Invitation, user: User, now: datetime) -> None:
    with transaction.atomic():
        Membership.objects.get_or_create(shop=invited.shop, user=user, defaults={"role": invited.role})
        Invitation.objects.filter(pk=invited.pk).update(accepted_at=now)
        links.revoke(invited.shop_id, "invitation", invited.pk, purposes=[PURPOSE], now=now)
