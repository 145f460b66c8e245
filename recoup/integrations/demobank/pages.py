"""The demo bank's page: what is to be paid, one button, and under it everything that can go wrong."""

import sqlite3
from decimal import Decimal
from html import escape
from pathlib import Path

from babel.numbers import format_currency, get_currency_precision

from recoup.integrations.demobank.texts import Words, words_of
from recoup.integrations.demobank.words import DECLINES

POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self' http://127.0.0.1:* http://localhost:* https:;"
    " frame-ancestors 'none'; base-uri 'none'"
)
CSS = (Path(__file__).parent / "bank.css").read_bytes()


def payment_page(payment: sqlite3.Row) -> bytes:
    """Return the page of a payment in its language."""
    words = words_of(payment["locale"])
    total = money(payment["amount"], payment["currency"], words.locale)
    is_open = payment["status"] in {"waiting", "processing"}
    content = _open_form(words, total) if is_open else _ended(words, payment)
    return _document(
        words,
        f"""<section class="card"><h1>{escape(payment["description"] or payment["order_number"])}</h1>
<p class="sum">{escape(total)}</p><p class="soft">{escape(words.method(payment["method"]))}</p>{content}</section>
{_moods(words) if is_open else ""}""",
    )


def money(amount: int, currency: str, locale: str) -> str:
    """Return an amount in the minor unit as people write it."""
    return format_currency(Decimal(amount).scaleb(-get_currency_precision(currency)), currency, locale=locale)


def plain(code: str) -> bytes:
    """Return a page that says no."""
    words = words_of("en")
    return _document(
        words,
        f'<section class="card"><p>{escape(words.refused)}</p><p class="soft">{escape(code)}</p></section>',
    )


def _open_form(words: Words, total: str) -> str:
    return f"""<form method="post">
<button class="main" name="do" value="pay">{escape(words.pay)} {escape(total)}</button>
</form>
<form method="post"><button name="do" value="give_up">{escape(words.give_up)}</button></form>"""


def _ended(words: Words, payment: sqlite3.Row) -> str:
    link = f'<p><a href="{escape(payment["return_url"])}">{escape(words.back)}</a></p>'
    return f"<p>{escape(words.status(payment['status']))}</p>{link if payment['return_url'] else ''}"


def _moods(words: Words) -> str:
    declines = "".join(
        f'<button name="reason" value="{code}">{escape(words.decline(code))}</button>' for code in DECLINES
    )
    moods = "".join(
        f'<button name="do" value="{deed}">{escape(words.mood(deed))}</button>'
        for deed in ("pay_silently", "pay_twice", "pay_late", "pay_other_sum", "hang")
    )
    return f"""<section class="card">
<h2>{escape(words.try_out)}</h2>
<p class="soft">{escape(words.no_money)}</p>
<details><summary>{escape(words.declines)}</summary>
<form method="post"><input type="hidden" name="do" value="decline">{declines}</form></details>
<details><summary>{escape(words.moods)}</summary><form method="post">{moods}</form></details>
</section>"""


def _document(words: Words, content: str) -> bytes:
    return f"""<!doctype html>
<html lang="{words.locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{escape(words.title)}</title>
<link rel="stylesheet" href="/bank.css">
<link rel="icon" href="data:,">
</head>
<body><main><p class="bank">{escape(words.title)}</p>
{content}
</main></body>
</html>
""".encode()
