"""Looking at a text before it goes to anybody: as a given person would get it, and in one's own mailbox (D12, D18)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recoup.core.installation import is_silenced
from recoup.customers.models import Contact
from recoup.customers.normalise import phone_key
from recoup.messaging.accounts import find_account
from recoup.messaging.channels import channel
from recoup.messaging.context import PURPOSES, Subject, build_contexts, link_filler
from recoup.messaging.handover import Accepted, Letter, Outcome, Parcel, Rejected, ShortMessage
from recoup.messaging.models import ChannelKind, SmsAccount, Template
from recoup.messaging.ports import Account, Line, ParcelRefused
from recoup.messaging.references import new_message_ref
from recoup.messaging.rendering.pool import Rendered, RenderFailure, RenderItem, RenderPool, shared_pool
from recoup.messaging.rendering.samples import sample_context
from recoup.messaging.rendering.templates import CompiledTemplate
from recoup.messaging.rendering.tokens import Context
from recoup.messaging.sender import spending
from recoup.messaging.sms.drafts import with_real_links
from recoup.messaging.templates import compile_draft
from recoup.orders.models import Cart, Order
from recoup.shops.models import Shop


class PreviewFailed(Exception):
    """The text cannot be written for this person: a field is empty without a fallback, or the text is too heavy."""

    def __init__(self, failure: RenderFailure) -> None:
        super().__init__(f"{failure.code}: {failure.detail}")
        self.failure = failure


class SendingNotSetUp(Exception):
    """The shop has no mail server or sender yet."""


class SendingSilenced(Exception):
    """This installation is a copy that nobody has confirmed: not even a test leaves it (R19)."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A mail as somebody would get it; its links lead nowhere."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class TestSend:
    """What the mail server said to a test."""

    __test__ = False  # not a test of pytest

    is_accepted: bool
    answer: str


def preview(
    template: Template,
    locale: str,
    *,
    subject: Order | Cart | Contact | None = None,
    pool: RenderPool | None = None,
) -> Preview:
    """Write the draft as the person, or that of an order or a cart, would get it, or a made-up one.

    :raises TemplateRefused: if the draft has blocking problems.
    :raises PreviewFailed: if the mail of this person cannot be written.
    """
    mail = _render(template, locale, subject, pool or shared_pool())
    return Preview(mail.subject, mail.html.decode(), mail.text.decode())


def _render(
    template: Template, locale: str, subject: Order | Cart | Contact | None, pool: RenderPool
) -> Rendered:
    compiled = compile_draft(template, locale, pool=pool)
    values, zone = _values(template, compiled, locale, subject)
    (outcome,) = pool.render([RenderItem(compiled, values, locale, zone)])
    if isinstance(outcome, RenderFailure):
        raise PreviewFailed(outcome)
    fill = link_filler(dict.fromkeys(PURPOSES, "preview"))
    return Rendered(outcome.subject, fill(outcome.html), fill(outcome.text))


def _values(
    template: Template, compiled: CompiledTemplate, locale: str, subject: Order | Cart | Contact | None
) -> tuple[dict[str, Any], str]:
    zone = template.shop.time_zone
    contact_id = subject.pk if isinstance(subject, Contact) else subject.contact_id if subject else None
    if subject is not None and contact_id is not None:
        one = Subject(
            key=0,
            contact_id=contact_id,
            order_id=subject.pk if isinstance(subject, Order) else None,
            cart_id=subject.pk if isinstance(subject, Cart) else None,
            locale=locale,
            template=compiled,
        )
        built = build_contexts(template.shop_id, [one])
        if 0 in built:
            made_up = sample_context(Context(template.kind), locale)
            return {"offer": made_up.get("offer"), **built[0].values}, built[0].zone
    sample = sample_context(Context(template.kind), locale)
    own = {name: getattr(template.shop, name) for name in ("name", "phone", "address", "email")}
    sample["shop"] = {**sample["shop"], **{name: value for name, value in own.items() if value}}
    if template.channel == ChannelKind.SMS:
        sample = with_real_links(sample)
    return sample, zone


def send_test(
    template: Template,
    locale: str,
    to_address: str,
    *,
    now: datetime,
    subject: Order | Cart | Contact | None = None,
    pool: RenderPool | None = None,
) -> TestSend:
    """Send the draft to an address of one's own, at once. It is no message: it counts nowhere and its links lead nowhere.

    It takes its part of the day's money all the same.

    :raises SendingSilenced: :raises SendingNotSetUp: if the channel is not set up.
    :raises ParcelRefused: if it cannot go to this address.
    :raises LineTrouble: if the server cannot be had. :raises TemplateRefused: :raises PreviewFailed: as `preview`.
    """
    account = _account(template.shop_id, template.channel)
    written = _render(template, locale, subject, pool or shared_pool())
    key = f"test:{template.pk}:{now}:{to_address}"
    letter = Letter(
        key="test",
        recipient=_recipient(template, to_address),
        to_name="",
        message_ref=new_message_ref(template.channel, "recoup.invalid", key),
        locale=locale,
        at=now,
        subject=written.subject,
        html=written.html,
        text=written.text,
    )
    return _send(account, letter, now)


def send_text(shop: Shop, number: str, text: str, *, now: datetime) -> TestSend:
    """Send a few words as a short message to a number of one's own, at once; it takes its part of the day's money.

    :raises SendingSilenced: :raises SendingNotSetUp: if the channel is not set up.
    :raises ParcelRefused: if it cannot go to this number.
    :raises LineTrouble: if the provider cannot be had.
    """
    account = _account(shop.pk, ChannelKind.SMS)
    ref = new_message_ref(ChannelKind.SMS, "recoup.invalid", f"test:{shop.pk}:{now}:{number}")
    letter = Letter("test", number, "", ref, shop.locale, now, "", b"", text.encode())
    return _send(account, letter, now)


def _account(shop_id: int, channel_name: str) -> Account:
    if is_silenced():
        raise SendingSilenced(shop_id)
    account = find_account(shop_id, channel_name)
    if account is None:
        raise SendingNotSetUp(shop_id)
    return account


def _send(account: Account, letter: Letter, now: datetime) -> TestSend:
    road = channel(account.adapter)
    refusal = road.refusal_of(account, letter.recipient)
    if refusal:
        raise ParcelRefused(refusal)
    parcel = road.compose(account, letter)
    if road.is_paid and isinstance(account, SmsAccount) and isinstance(parcel, ShortMessage):
        refusal = spending.pay_for(account, parcel, now=now)
        if refusal:
            raise ParcelRefused(refusal)
    line = road.line(account)
    try:
        line.ready()
        return _said(_hand_over(line, parcel))
    finally:
        line.close()


def _recipient(template: Template, typed: str) -> str:
    if template.channel == ChannelKind.SMS:
        return phone_key(typed, template.shop.country)
    return typed.strip()


def _hand_over(line: Line, parcel: Parcel) -> Outcome:
    exchange = line.exchange()
    outcome = exchange.open(parcel)
    if outcome is not None:
        return outcome
    exchange.write_data()
    ((_, settled),) = exchange.collect(None)
    return settled


def _said(outcome: Outcome) -> TestSend:
    match outcome:
        case Accepted():
            return TestSend(is_accepted=True, answer=outcome.answer)
        case Rejected():
            answer = f"{outcome.code} {outcome.enhanced} {outcome.text}".replace("  ", " ")
            return TestSend(is_accepted=False, answer=answer)
    return TestSend(is_accepted=False, answer=outcome.reason)
