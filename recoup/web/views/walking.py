"""Trying a draft on one real customer before it is published: what they would get and when; texts to oneself (D18)."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.core import search
from recoup.customers.listing import ContactFilter, list_customers
from recoup.customers.models import Contact
from recoup.messaging.models import ChannelKind, Template
from recoup.orders.listing import OrderFilter, list_orders
from recoup.orders.models import Cart, Order
from recoup.processes import drafts
from recoup.processes.engine.codes import Code, SubjectKind
from recoup.processes.files import sent_texts
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.models import Process
from recoup.processes.walking import Walk, Walker, walk
from recoup.shops.access import Seat
from recoup.web.answers import place
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.walking import WalkForm
from recoup.web.life_screens import WalkStop, WalkText
from recoup.web.listing import Address, with_query
from recoup.web.parts import Link
from recoup.web.shown.moving import titles_of
from recoup.web.shown.people import name_of
from recoup.web.shown.tried_messages import message_detail
from recoup.web.words import steps
from recoup.web.words.texts import key_name

MOST_HITS = 8


@staff(Right.EDIT_PROCESSES)
def try_out(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Walk a chosen order, cart or person through the draft, or the version that runs; nothing is sent, nothing counts."""
    rows = Process.objects.filter(shop=seat.shop).select_related("current_version", "shop")
    process = get_object_or_404(rows, pk=process_id)
    address = Address(request)
    doc = drafts.draft_of(process).doc
    context: dict[str, Any] = {
        "crumb_links": [
            Link(_("Processes"), place(seat, "processes")),
            Link(steps.process_name(process), place(seat, "process", process.pk)),
            Link(_("Try on a customer"), ""),
        ],
        "query": address.get("find").strip(),
        "who": "",
        "edit_url": place(seat, "process_edit", process.pk),
    }
    if drafts.problems_of(process, doc):
        return render(request, "web/process_walk.html", {**context, "has_problems": True})
    document = ProcessDocument.model_validate(doc)
    kind = document.entry.subject
    url = place(seat, "process_walk", process.pk)
    context["hits"] = (
        _hits(seat, kind, context["query"], url) if search.query_tokens(context["query"]) else []
    )
    subject = _subject(seat, kind, address.get("as"))
    if subject is not None:
        form = WalkForm(request.GET if "what" in request.GET else None)
        context |= _walked(request, seat, process, document, subject, form)
    return render(request, "web/process_walk.html", context)


def _subject(seat: Seat, kind: SubjectKind, text: str) -> Order | Cart | Contact | None:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0
    if not number:
        return None
    if kind is SubjectKind.ORDER:
        orders = Order.objects.filter(shop=seat.shop).exclude(contact=None).select_related("contact")
        return get_object_or_404(orders, pk=number)
    if kind is SubjectKind.CART:
        carts = Cart.objects.filter(shop=seat.shop).exclude(contact=None).select_related("contact")
        return get_object_or_404(carts, pk=number)
    return get_object_or_404(Contact.objects.filter(shop=seat.shop), pk=number)


def _hits(seat: Seat, kind: SubjectKind, query: str, url: str) -> list[Link]:
    if kind is SubjectKind.ORDER:
        orders = list_orders(seat.shop, OrderFilter(is_current=False, text=query), size=MOST_HITS).rows
        return [
            Link(f"{one.number} · {name_of(one.contact, '')}", with_query(url, {"as": one.pk}))
            for one in orders
            if one.contact_id is not None
        ]
    people = list_customers(seat.shop, ContactFilter(text=query)).rows[:MOST_HITS]
    if kind is SubjectKind.CONTACT:
        return [Link(name_of(one), with_query(url, {"as": one.pk})) for one in people]
    carts = Cart.objects.filter(shop=seat.shop, contact__in=people).select_related("contact")
    return [
        Link(name_of(one.contact), with_query(url, {"as": one.pk}))
        for one in carts.order_by("-last_activity_at", "-pk")[:MOST_HITS]
    ]


def _walked(
    request: StaffRequest,
    seat: Seat,
    process: Process,
    document: ProcessDocument,
    subject: Order | Cart | Contact,
    form: WalkForm,
) -> dict[str, Any]:
    contact = subject if isinstance(subject, Contact) else subject.contact
    assert contact is not None
    done = walk(
        document,
        Walker(seat.shop.pk, int(document.entry.subject), subject.pk, contact.pk, process.pk),
        salt=process.salt,
        now=request.now,
        what_if=form.told(),
    )
    locale = contact.locale if contact.locale in dict(settings.LANGUAGES) else seat.shop.locale
    shown_as = {} if isinstance(subject, Contact) else {"as": subject.pk}
    known = Template.objects.filter(shop=seat.shop).values_list("key", "name", "channel")
    names = {key: key_name(key, name) for key, name, _channel in known}
    return {
        "who": f"{subject.number} · {name_of(contact)}" if isinstance(subject, Order) else name_of(contact),
        "subject_id": subject.pk,
        "form": form,
        "has_entered": done.has_entered,
        "is_known": done.is_known,
        "stops": _stops(seat, done, document, names, locale, shown_as),
        "texts": [
            WalkText(
                names[key],
                with_query(place(seat, "text", key, locale), shown_as),
                with_query(place(seat, "text_test", key, locale), shown_as),
                seat.shop.phone if channel == ChannelKind.SMS else seat.user.email,
            )
            for key, _name, channel in sorted(known)
            if key in sent_texts(document.as_json())
        ],
    }


def _stops(
    seat: Seat,
    done: Walk,
    document: ProcessDocument,
    names: dict[str, str],
    locale: str,
    shown_as: dict[str, int],
) -> list[WalkStop]:
    titles = titles_of(document.as_json())
    found = []
    for stop in done.stops:
        is_out = stop.sent_at is not None
        what = steps.outcome(Code(stop.message_end) if stop.message_end else stop.code)
        if is_out:
            what = _("“%(text)s” is sent") % {"text": names.get(stop.template, stop.template)}
        icon = (
            "mail-check"
            if is_out
            else "flag"
            if stop.code.is_exit
            else "minus"
            if stop.template
            else "git-branch"
        )
        url = (
            with_query(place(seat, "text", stop.template, locale), shown_as) if stop.template in names else ""
        )
        detail = message_detail(stop.sent_as, is_out=is_out) if stop.sent_as is not None else ""
        at = stop.sent_at or stop.at
        found.append(WalkStop(at, titles.get(stop.node, stop.node), what, icon, url, detail))
    return found
