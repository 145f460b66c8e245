"""The story: the main job played through the real parts, in seconds, and told as a timeline.

A database of its own; web, worker, mailbox and bank as programs; webhooks and buyers over HTTP; mails over SMTP.
Exit code 1 if the money did not come back, or a promise was broken.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psycopg
import structlog
from django.core.management import call_command
from django.db import connection, connections
from django_scopes import scopes_disabled
from psycopg import sql
from rich.console import Console
from rich.table import Table

from recoup.core import installation
from recoup.core.activity import SYSTEM
from recoup.core.clock import trade_now
from recoup.demo import neighbours, stage
from recoup.demo.models import CaughtMail
from recoup.demo.neighbours import Buyer, ForeignShop, cart_json, order_json
from recoup.demo.people import COUNTRIES, GOODS, ZONES, Good
from recoup.integrations.smtp import own_mailbox
from recoup.orders.models import Order
from recoup.processes.actions import go_live
from recoup.recovery.models import RecoveryCase
from recoup.shops.actions import NewShop

log = structlog.get_logger(__name__)

LAWENDA = NewShop(
    name="Lawenda",
    currency="PLN",
    locale="pl",
    time_zone="Europe/Warsaw",
    country="PL",
    email="sklep@lawenda.example",
    phone="+48 12 345 67 89",
)
CREAM, OIL, SOAP, SHAMPOO, CANDLE = GOODS[:5]


@dataclass(slots=True)
class Result:
    """What came of it."""

    orders: int = 0
    unpaid: int = 0
    superseded: int = 0
    duplicates_dropped: int = 0
    messages_sent: int = 0
    recovered: int = 0
    recovered_amount: str = "0"
    messages_after_payment: int = 0
    messages_before_we_could_know: int = 0
    duplicates: int = 0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)


class Teller:
    """Tells what happens, at the hour of the shop."""

    def __init__(self, *, is_silent: bool) -> None:
        self._console = Console(highlight=False, quiet=is_silent)

    def scene(self, text: str) -> None:
        """Begin a new part of the story."""
        self._console.print(f"\n[bold]{text}[/bold]")

    def tell(self, text: str) -> None:
        """Tell one thing that happened."""
        self._console.print(f"  [dim]{trade_now():%a %d %b %H:%M}[/dim]  {text}")

    def end(self, result: Result) -> None:
        """Show the report."""
        table = Table(show_header=False, box=None, padding=(0, 2))
        for name, value in asdict(result).items():
            if name != "broken":
                table.add_row(name.replace("_", " "), str(value))
        self._console.print()
        self._console.print(table)
        for text in result.broken:
            self._console.print(f"[red]Broken: {text}[/red]")


def play(*, as_json: bool = False) -> int:
    """Play the story and return the exit code."""
    began = time.monotonic()
    teller = Teller(is_silent=as_json)
    try:
        with _own_database() as url, scopes_disabled():
            result = _play_on(url, teller)
    except Exception as error:  # whatever broke off, the caller gets its object and learns of it
        log.exception("demo.story.broken")
        result = Result(broken=[f"{type(error).__name__}: {error}"[:500]])
    result.seconds = round(time.monotonic() - began, 1)
    if as_json:
        print(json.dumps(asdict(result)))  # noqa: T201 - the command's output
    teller.end(result)
    return 1 if result.broken else 0


@contextmanager
def _own_database() -> Iterator[str]:
    """Have a fresh database beside the one that is connected, and Django connected to it."""
    name = f"recoup_story_{os.getpid()}"
    parts = connection.get_connection_params()
    wanted = {key: parts[key] for key in ("host", "port", "user", "password") if parts.get(key)}
    before = connection.settings_dict["NAME"]
    with psycopg.connect(dbname=before, autocommit=True, **wanted) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            connections.close_all()
            connection.settings_dict["NAME"] = name
            call_command("migrate", verbosity=0, interactive=False)
            yield psycopg.conninfo.make_conninfo(dbname=name, **wanted)
        finally:
            connections.close_all()
            connection.settings_dict["NAME"] = before
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _address(conninfo: str) -> str:
    parts = psycopg.conninfo.conninfo_to_dict(conninfo)
    return (
        f"postgresql://{parts['user']}:{parts.get('password', '')}@/{parts['dbname']}"
        f"?host={parts['host']}&port={parts.get('port', 5432)}"
    )


def _play_on(conninfo: str, teller: Teller) -> Result:
    ports = {name: stage.free_port() for name in ("web", "mailbox", "bank")}
    web_url = f"http://127.0.0.1:{ports['web']}"
    with TemporaryDirectory(prefix="recoup-story-") as folder, stage.client() as client:
        environment = {
            "DATABASE_URL": _address(conninfo),
            "RECOUP_DEMO": "1",
            "RECOUP_PUBLIC_URL": web_url,
            own_mailbox.PORT_NAME: str(ports["mailbox"]),
        }
        stage.mark_as_demo()
        scenery = stage.make_shop(
            LAWENDA,
            mailbox_port=ports["mailbox"],
            bank_url=f"http://127.0.0.1:{ports['bank']}",
            now=trade_now(),
        )
        teller.scene("A new shop: Lawenda, creams made in Kraków")
        teller.tell("The wizard made the shop, its texts in four languages and its processes, in test mode.")
        go_live(scenery.shop, actor=SYSTEM, now=trade_now())
        teller.tell("One click: the shop is live. Orders from now on are watched.")
        commands = stage.commands(ports, Path(folder))
        with stage.programs(commands, environment=environment):
            for name, port in ports.items():
                stage.wait_for_port(port, name=name)
            shop = ForeignShop(client, web_url, scenery.source)
            _Scenes(shop, client, teller).play()
        return _judge(teller)


class _Scenes:
    """The scenes, in order."""

    def __init__(self, shop: ForeignShop, client: httpx.Client, teller: Teller) -> None:
        self.shop, self.client, self.teller = shop, client, teller
        self.marta = _buyer("Marta Wiśniewska", "marta.wisniewska@poczta.example", "pl")
        self.piotr = _buyer("Piotr Szymański", "piotr.szymanski@poczta.example", "pl")
        self.lena = _buyer("Lena Hoffmann", "lena.hoffmann@post.example", "de")
        self.maria = _buyer("Мария Орлова", "maria.orlova@pochta.example", "ru")
        self.emma = _buyer("Emma Clarke", "emma.clarke@mail.example", "en")
        self.ewa = _buyer("Ewa Jankowska", "ewa.jankowska@poczta.example", "pl")
        self.jan = _buyer("Jan Michalski", "jan.michalski@poczta.example", "pl")
        self.zofia = _buyer("Zofia Mazur", "zofia.mazur@poczta.example", "pl")
        self.kasia = _buyer("Katarzyna Wójcik", "katarzyna.wojcik@poczta.example", "pl")

    def play(self) -> None:
        """Play everything."""
        self.morning_orders()
        self.afternoon_cart()
        self.next_day()
        self.third_day()
        self.a_week_later()

    def morning_orders(self) -> None:
        """Let eight people order; two pay, one changes her mind."""
        self.teller.scene("The first day: orders come in by signed webhooks")
        now = trade_now()
        for number, buyer, goods in (
            ("L-1001", self.marta, [CREAM, OIL]),
            ("L-1002", self.piotr, [CANDLE]),
            ("L-1003", self.lena, [SHAMPOO]),
            ("L-1004", self.maria, [SOAP, CREAM]),
            ("L-1005", self.emma, [OIL]),
            ("L-1006", self.ewa, [CANDLE]),
            ("L-1007", self.jan, [CREAM]),
            ("L-1008", self.zofia, [SOAP]),
        ):
            self.shop.tell("order.created", order_json(number, buyer, goods, at=now))
        self.teller.tell("Eight orders, none paid yet. Each knows its buyer, language and goods.")
        self._pay("L-1005", self.emma, [OIL])
        self.teller.tell("Emma pays at once.")
        later = trade_now()
        self.shop.tell("order.created", order_json("L-1009", self.jan, [CREAM], at=later))
        self.teller.tell("Jan's browser hangs; he orders the same cream again and does not pay either.")
        self.shop.tell("order.created", order_json("L-1010", self.ewa, [CANDLE], at=later))
        self._pay("L-1010", self.ewa, [CANDLE])
        self.teller.tell("Ewa does the same, and pays the second order.")
        gone = order_json("L-1008", self.zofia, [SOAP], at=now, status="cancelled")
        self.shop.tell("order.updated", {**gone, "updated_at": trade_now().isoformat()})
        self.teller.tell("Zofia cancels.")
        stage.wait_until_quiet()

    def afternoon_cart(self) -> None:
        """Let Kasia leave a cart, come back by her mail and pay what she finds filled in again."""
        self.shop.tell("cart.updated", cart_json("C-501", self.kasia, [CREAM, SOAP], at=trade_now()))
        self.teller.tell("Kasia fills a cart, agrees to be reminded of it, and leaves.")
        self._later(timedelta(hours=2))
        mail = neighbours.mails_to(self.kasia.email)[-1]
        page = self.client.get(neighbours.link_for(mail, "cart"))
        pay_page = neighbours.press_button(
            self.client, page, where=-1
        )  # the first form shows whose data these are
        bank = neighbours.press_button(self.client, pay_page)
        neighbours.press_button(self.client, bank, do="pay")
        stage.wait_until_quiet()
        self.teller.tell("An hour later she gets a mail, finds her cart filled in again, and pays.")

    def next_day(self) -> None:
        """Let the first reminders go out; Marta pays by the link, Lena a moment before hers."""
        self.teller.scene("The next day: 24 hours later")
        installation.move_trade_clock(timedelta(hours=21, minutes=30))
        self._pay("L-1003", self.lena, [SHAMPOO])
        self.teller.tell("Lena pays half an hour before she would have been reminded.")
        stage.wait_until_quiet()
        self._later(timedelta(hours=1))
        self._tell_mails()
        self._pay_by_link(self.marta, "Marta follows the link in her mail and pays that very order.")

    def third_day(self) -> None:
        """Let the second reminders go out; Piotr's card is declined, then he pays with another try."""
        self.teller.scene("Three days in: 72 hours after the orders")
        self._later(timedelta(days=2))
        self._tell_mails()
        self._decline_by_link(self.piotr)
        self._pay_by_link(self.piotr, "He tries again, and it works.")

    def a_week_later(self) -> None:
        """Let the last reminders go out; Maria pays, Jan does not."""
        self.teller.scene("A week after the orders")
        self._later(timedelta(days=4))
        self._tell_mails()
        self._pay_by_link(self.maria, "Maria pays after the third mail, in Russian like the two before.")
        self._later(timedelta(days=24))
        self.teller.tell(
            "Jan never pays. After a month his case is closed as not recovered; nobody writes any more."
        )

    def _later(self, by: timedelta) -> None:
        installation.move_trade_clock(by)
        stage.wait_until_quiet()

    def _pay(self, number: str, buyer: Buyer, goods: list[Good]) -> None:
        at = trade_now()
        placed = Order.objects.filter(number=number).values_list("placed_at", flat=True).first() or at
        told = order_json(number, buyer, goods, at=placed, status="paid")
        paid = {"id": f"pay-{number}", "status": "succeeded", "amount": told["total"], "at": at.isoformat()}
        self.shop.tell("order.updated", {**told, "updated_at": at.isoformat(), "payments": [paid]})

    def _tell_mails(self) -> None:
        for buyer in (
            self.marta,
            self.piotr,
            self.maria,
            self.jan,
            self.lena,
            self.ewa,
            self.zofia,
            self.emma,
        ):
            mails = neighbours.mails_to(buyer.email)
            if mails:
                self.teller.tell(f"{buyer.name} has {len(mails)} mail(s); the last: “{mails[-1].subject}”")

    def _bank_page(self, buyer: Buyer) -> httpx.Response:
        mail = neighbours.mails_to(buyer.email)[-1]
        page = self.client.get(neighbours.link_for(mail, "pay"))
        if page.status_code != 200:
            raise neighbours.StrangerSurprised(f"the pay page answers {page.status_code}")
        return neighbours.press_button(self.client, page)

    def _pay_by_link(self, buyer: Buyer, text: str) -> None:
        bank = self._bank_page(buyer)
        neighbours.press_button(self.client, bank, do="pay")
        stage.wait_until_quiet()
        self.teller.tell(text)

    def _decline_by_link(self, buyer: Buyer) -> None:
        bank = self._bank_page(buyer)
        neighbours.press_button(self.client, bank, do="decline", reason="insufficient_funds")
        stage.wait_until_quiet()
        self.teller.tell(f"{buyer.name} follows the link; the bank declines: not enough funds.")


def _buyer(name: str, email: str, locale: str) -> Buyer:
    return Buyer(name, email, locale, COUNTRIES[locale], ZONES[locale])


def _judge(teller: Teller) -> Result:
    """Count what came of it, from the ledgers of the product and of the mailbox alike."""
    cases = list(RecoveryCase.objects.all())
    recovered = [case for case in cases if case.outcome == RecoveryCase.Outcome.RECOVERED]
    amount = sum((case.recovered_amount or Decimal(0) for case in recovered), Decimal(0))
    result = Result(
        orders=Order.objects.count(),
        unpaid=Order.objects.exclude(unpaid_at=None).count(),
        superseded=Order.objects.exclude(superseded_by=None).count(),
        duplicates_dropped=Order.objects.exclude(duplicate_of=None).count(),
        messages_sent=CaughtMail.objects.count(),
        recovered=len(recovered),
        recovered_amount=f"{amount:.2f} PLN",
        messages_after_payment=_late_messages("paid_learnt_at"),
        messages_before_we_could_know=_late_messages("paid_at") - _late_messages("paid_learnt_at"),
        duplicates=_double_mails(),
    )
    expected = {
        "orders": 11,
        "unpaid": 4,
        "superseded": 1,
        "messages_sent": 10,
        "recovered": 4,
        "recovered_amount": "323.00 PLN",
        "messages_after_payment": 0,
        "duplicates": 0,
    }
    for name, value in expected.items():
        if getattr(result, name) != value:
            result.broken.append(f"{name} is {getattr(result, name)}, not {value}")
    teller.scene("What came back")
    return result


def _late_messages(column: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "SELECT count(*) FROM messaging_message m JOIN orders_order o ON o.id = m.order_id"
                " WHERE m.state = 'sent' AND m.handed_at > o.{}"
            ).format(sql.Identifier(column))
        )
        return int(cursor.fetchone()[0])


def _double_mails() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM demo_caughtmail"
            " GROUP BY recipient, subject HAVING count(*) > 1) d"
        )
        return int(cursor.fetchone()[0])
