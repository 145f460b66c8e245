"""One mail, written and put into MIME, against stock Liquid and a bare skeleton in one process.

Ours crosses to the render child and back, formats amounts and days for a language, cleans values, escapes, builds and checks
headers. The twin gets ready strings and a fixed skeleton with `binascii.b2a_qp`. Both use the same texts for the same 2,000
people. Compared by processor time of all processes together, so that a second core helps nobody. Goal: at least 0.8.
"""

import email
import email.policy
import os
import time
from binascii import b2a_qp
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from liquid import Environment
from liquid.builtin.filters.misc import default

from bench import harness
from recoup.core.money import Money
from recoup.messaging.mime.writer import MailHeaders, Sender, build_mail, new_message_id
from recoup.messaging.rendering.pool import Rendered, RenderItem, RenderPool
from recoup.messaging.rendering.templates import CompiledTemplate

MAILS = 2_000
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
SENDER = Sender("Mała Garncarnia", "sklep@example.com")

SUBJECT = "Zamówienie {{ order.number }} czeka na Ciebie, {{ customer.first_name | fallback: 'Kliencie' }}"
MJML = """<mjml lang="pl"><mj-head><mj-preview>Zamówienie {{ order.number }} nie jest jeszcze opłacone</mj-preview></mj-head>
<mj-body><mj-section><mj-column>
<mj-text>Dzień dobry {{ customer.first_name | fallback: 'Kliencie' }},<br>czy wszystko w porządku z zamówieniem
<b>{{ order.number }}</b> z {{ order.placed_at | date: '%d.%m.%Y' }}? Nie widzimy jeszcze płatności.</mj-text>
<mj-table>{% for item in order.items %}<tr><td>{{ item.name }}</td><td>{{ item.quantity }}</td><td>{{ item.total }}</td></tr>
{% endfor %}</mj-table>
<mj-button href="{{ links.pay }}">Zapłać {{ order.total }}</mj-button>
{% if shop.phone %}<mj-text>Pytania? Zadzwoń: {{ shop.phone }}</mj-text>{% endif %}
<mj-text>{{ shop.name }}, <a href="{{ links.stop_order }}">nie pisz o tym zamówieniu</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"""

NAMES = [
    "Anna",
    "Łucja",
    "Святослав",
    "Jürgen",
    "<Bob>",
    "",
    "👩‍👧 Ola",
    "Bardzo-Długie-Imię-Które-Nie-Ma-Końca" * 3,
]
PRODUCTS = [
    "Kubek ceramiczny",
    "Lniany fartuch & spółka",
    ".kropka na początku",
    "Кружка",
    "Ein langer Name, " * 5 + "!",
]


def main() -> None:
    """Print the figure; exit 1 if its goal is missed or a mail is wrong."""
    pool = RenderPool()
    answer = pool.compile(
        {
            "subject": SUBJECT,
            "html": MJML,
            "text": "",
            "context": "order",
            "locale": "pl",
            "needs_unsubscribe": False,
        }
    )
    assert answer["compiled"], answer["findings"]
    template = CompiledTemplate.from_json(answer["compiled"])
    items = [RenderItem(template, context(number), "pl", "Europe/Warsaw") for number in range(MAILS)]
    headers = [header(number) for number in range(MAILS)]
    twin = Twin(template, items, headers)
    build(pool, items[:200], headers[:200])  # the child learns the template, caches fill on both sides
    twin.build(200)
    walls: list[float] = []
    rates: list[float] = []

    def ours() -> float:
        began, cpu = time.perf_counter(), cpu_seconds(pool)
        mails = build(pool, items, headers)
        rate = MAILS / (cpu_seconds(pool) - cpu)
        walls.append(MAILS / (time.perf_counter() - began))
        rates.append(rate)
        assert len(mails) == MAILS
        return rate

    def theirs() -> float:
        cpu = time.process_time()
        mails = twin.build(MAILS)
        assert len(mails) == MAILS
        return MAILS / (time.process_time() - cpu)

    ratio, rounds = harness.paired(ours, theirs)
    check(build(pool, items, headers), twin)
    pool.close()
    is_met = harness.report(
        "mail.build.vs_skeleton",
        ratio=ratio,
        goal=0.8,
        rounds=rounds,
        per_cpu_second=round(sorted(rates)[len(rates) // 2]),
        per_second=round(sorted(walls)[len(walls) // 2]),
    )
    raise SystemExit(not is_met)


def context(number: int) -> dict[str, Any]:
    """Return the context of one order, as the sender makes it."""
    products = [PRODUCTS[(number + step) % len(PRODUCTS)] for step in range(1 + number % 4)]
    price = Decimal(number * 7 % 50_000 + 100) / 100
    items = [
        {
            "name": name,
            "variant": None,
            "quantity": step + 1,
            "price": Money(price, "PLN"),
            "total": Money(price * (step + 1), "PLN"),
        }
        for step, name in enumerate(products)
    ]
    return {
        "customer": {"first_name": NAMES[number % len(NAMES)], "email": f"anna{number}@example.org"},
        "order": {
            "number": str(100_000 + number),
            "placed_at": NOW - timedelta(minutes=37 * number),
            "total": Money(sum((item["total"].amount for item in items), Decimal()), "PLN"),
            "items": items,
        },
        "shop": {"name": "Mała Garncarnia", "phone": "+48 600 100 200"},
        "links": {
            purpose: f"https://shop.example.com/{purpose}/{number:032x}" for purpose in ("pay", "stop_order")
        },
        "last_mail": {"sent_at": None},
    }


def header(number: int) -> MailHeaders:
    """Return the headers of one mail."""
    return MailHeaders(
        to_name=NAMES[number % len(NAMES)],
        to_address=f"anna{number}@example.org",
        message_id=new_message_id("example.com", f"message-{number}"),
        date=NOW + timedelta(seconds=number // 500),
        unsubscribe_link=None,
        language="pl",
    )


def build(pool: RenderPool, items: list[RenderItem], headers: list[MailHeaders]) -> list[bytes]:
    """Write the mails as the sender does: a hundred in one round trip, then MIME."""
    mails = []
    for start in range(0, len(items), 100):
        for outcome, head in zip(
            pool.render(items[start : start + 100]), headers[start : start + 100], strict=True
        ):
            assert isinstance(outcome, Rendered), outcome
            mails.append(
                build_mail(SENDER, head, subject=outcome.subject, html=outcome.html, text=outcome.text)
            )
    return mails


class Twin:
    """Stock python-liquid with ready strings, and a skeleton that trusts everything."""

    def __init__(
        self, template: CompiledTemplate, items: list[RenderItem], headers: list[MailHeaders]
    ) -> None:
        html, plain = Environment(autoescape=True), Environment()
        for environment in (html, plain):
            environment.add_filter("fallback", default)
        self.subject = plain.from_string(template.subject)
        self.html = html.from_string(template.html)
        self.text = plain.from_string(template.text)
        self.contexts = [ready(item.context) for item in items]
        self.headers = headers

    def build(self, count: int) -> list[bytes]:
        """Write so many mails."""
        return [self._one(*pair) for pair in zip(self.contexts[:count], self.headers[:count], strict=True)]

    def _one(self, values: dict[str, Any], head: MailHeaders) -> bytes:
        subject = b2a_qp(self.subject.render(**values).encode(), header=True)
        html = b2a_qp(self.html.render(**values).encode().replace(b"\n", b"\r\n"))
        text = b2a_qp(self.text.render(**values).encode().replace(b"\n", b"\r\n"))
        return (
            b"From: shop <sklep@example.com>\r\nDate: Sun, 22 Nov 2026 09:30:00 +0000\r\nMessage-ID: %s\r\nTo: <%s>\r\n"
            b"Subject: =?utf-8?q?%s?=\r\nMIME-Version: 1.0\r\n"
            b'Content-Type: multipart/alternative; boundary="=_b"\r\n\r\n--=_b\r\n'
            b"Content-Type: text/plain; charset=utf-8\r\n"
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n%s\r\n--=_b\r\nContent-Type: text/html; charset=utf-8\r\n"
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n%s\r\n--=_b--\r\n"
        ) % (head.message_id.encode(), head.to_address.encode(), subject, text, html)


def ready(values: Any) -> Any:
    """Return a context whose amounts are strings and whose moments are local already."""
    if isinstance(values, Money):
        return values.text("pl")
    if isinstance(values, datetime):
        return values.astimezone(ZoneInfo("Europe/Warsaw"))
    if isinstance(values, dict):
        return {key: ready(value) for key, value in values.items()}
    if isinstance(values, list):
        return [ready(value) for value in values]
    return values


def check(mails: list[bytes], twin: Twin) -> None:
    """Read our mails back: no defect, and the HTML that stock Liquid writes."""
    for number in range(0, MAILS, 37):
        message = email.message_from_bytes(mails[number], policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        assert [part.defects for part in message.walk()] == [[], [], []]
        payload = list(message.iter_parts())[1].get_payload(decode=True)
        assert isinstance(payload, bytes)
        assert _plain(payload.decode()) == _plain(twin.html.render(**twin.contexts[number])), number


def _plain(html: str) -> str:
    """Return the HTML as both would write it: blanks in values are joined by us, quotes spelled differently by the twin."""
    return " ".join(html.replace("&#34;", "&quot;").replace("&#39;", "&#x27;").split()).replace(" <", "<")


def cpu_seconds(pool: RenderPool) -> float:
    """Return the processor time that this process and its render child have used."""
    children = sum(
        int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) for pid in pool.pids()
    )
    return time.process_time() + children / 1e9


if __name__ == "__main__":
    os.environ.setdefault("LANG", "C.UTF-8")
    main()
