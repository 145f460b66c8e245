"""Plain words that make a text advertising, and those that only look like it (D16, J12)."""

import pytest

from recoup.messaging import shipped
from recoup.messaging.promotion import advertising_words, plain_words, words_of_texts

ADVERTISING = [
    ("Pay today and get 10% off.", "10% off"),
    ("10 % off", "10 % off"),
    ("Save up to 15 % now", "Save up to 15 %"),
    ("There is a €10 discount for you", "€10 discount"),
    ("Save £5 on this order", "Save £5"),
    ("Enjoy your discount until Sunday", "Enjoy your discount"),
    ("Use code SPRING10 when you pay", "Use code SPRING10"),
    ("Your discount code is below", "discount code"),
    ("Now with free shipping", "free shipping"),
    ("A free gift is waiting", "free gift"),
    ("Our summer sale has begun", "summer sale"),
    ("Only today: -20%", "-20%"),
    ("See what is new", "what is new"),
    ("Mamy dla Państwa rabat 10%", "Mamy dla Państwa rabat"),
    ("Tylko teraz rabat 10%", "rabat 10%"),
    ("10% taniej", "10% taniej"),
    ("Zniżka do 20 zł", "Zniżka do 20 zł"),
    ("Kod rabatowy czeka", "Kod rabatowy"),
    ("Zapłać z kodem WIOSNA10", "z kodem WIOSNA10"),
    ("Darmowa dostawa do piątku", "Darmowa dostawa"),
    ("Nowa promocja", "promocja"),
    ("Zobacz, co nowego", "co nowego"),
    ("Jetzt 10 % Rabatt", "10 % Rabatt"),
    ("Sparen Sie 5 €", "Sparen Sie 5 €"),
    ("Ihr Gutscheincode", "Gutscheincode"),
    ("Mit dem Code HERBST10 bezahlen", "Mit dem Code HERBST10"),
    ("Kostenloser Versand bis Freitag", "Kostenloser Versand"),
    ("Unser Sonderangebot für Sie", "Sonderangebot"),
    ("Neuheiten ansehen", "Neuheiten"),
    ("Ваша скидка 5 %", "Ваша скидка"),
    ("Действует скидка 5 %", "скидка 5 %"),
    ("Скидка до 500 ₽", "Скидка до 500 ₽"),
    ("Промокод ждёт Вас", "Промокод"),
    ("Бесплатная доставка", "Бесплатная доставка"),
    ("Носки в подарок", "в подарок"),
    ("Посмотреть новинки", "новинки"),
    ("Ten percent? No: 10 percent off", "10 percent off"),
    ("<b>10%</b>&nbsp;off", "10% off"),
    ("Hello {{ customer.first_name | fallback: \"you with 10% off\" }}", "10% off"),
    ("Discount of 100 %", "Discount of 100 %"),
    ("10％ off", "10% off"),
]  # fmt: skip
HARMLESS = [
    "100 % cotton", "0 %", "0 % discount", "VAT 23 %", "including 23% VAT", "w tym 23% VAT", "inkl. 19 % MwSt.",
    "в т. ч. НДС 20 %", "2 % Skonto bei Zahlung in 8 Tagen", "Feel free to call us", "The call is free of charge",
    "gluten-free biscuits", "Enter the code from the text message", "Wpisz kod z SMS-a", "kod pocztowy 00-625",
    "Scannen Sie den QR-Code", "50 % of the amount is still due", "50% zaliczki", "eine Anzahlung von 30 %",
    "предоплата 50 %", "The order was reduced by the discount you had", "Discount {{ extra.total }}",
    "{{ extra.name }}: {{ extra.total }}", "przy okazji", "If you are not sure which of our offers is right, ask us",
    "Ersatzteile und Sparkasse", "Your order is 80 % complete", "We are 100% sure", "5–10 % of all orders",
    "Rabat już odliczony: {{ extra.total }}", "The price includes a discount that you had", "Der Rabatt ist abgezogen",
    "Скидка уже учтена", "- 50 wool", "Delivery on Friday", "Kostenlos stornieren", "бесплатно позвонить",
    "Pay 129.00 EUR", "Zapłać 129,00 zł", "Bezahlen Sie 129,00 €", "Оплатите 1290 ₽", "Order 2026/10 % 3",
    "You save yourself a call", "<mj-style>.a { width: 90%; } .b { content: '10% off' }</mj-style>",
    '<mj-image width="50%" alt="" />', "{% if 10 %}x{% endif %}",
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), ADVERTISING)
def test_a_promise_is_found_as_it_is_written(text: str, words: str) -> None:
    assert words in advertising_words(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_a_promise_is_let_pass(text: str) -> None:
    assert advertising_words(text) == []


@pytest.mark.parametrize("locale", shipped.LOCALES)
def test_the_shipped_reminders_promise_nothing(locale: str) -> None:
    found = {
        key: words
        for key in (*shipped.KEYS, *shipped.READY_KEYS)
        if key not in shipped.OFFER_KEYS and (words := advertising_words(*shipped.shipped_texts(key)[locale]))
    }

    assert list(found) == ["win_back"]


def test_every_language_of_a_text_is_read_for_the_words_of_all() -> None:
    texts = {
        "en": {"subject": "Your order", "preheader": "", "body": "<mjml><p>Rabat 10%</p></mjml>", "text": ""},
        "pl": {"subject": "Zamówienie", "preheader": "Zapłać", "body": "<mjml>x</mjml>", "text": ""},
        "de": {"subject": "Bestellung", "preheader": "10 % Rabatt", "body": "", "text": "Neuheiten"},
    }

    assert words_of_texts(texts) == {"en": ["Rabat 10%"], "de": ["10 % Rabatt", "Neuheiten"]}


def test_words_are_named_once_and_not_too_many() -> None:
    text = " ".join(f"{number}% off." for number in (10, 10, 11, 12, 13, 14, 15, 16))

    assert advertising_words(text) == ["10% off", "11% off", "12% off", "13% off", "14% off"]


def test_a_long_text_is_read_quickly() -> None:
    assert advertising_words("a 1 " * 60_000, "%" * 60_000, "1" * 60_000, "kod " * 60_000) == []


def test_markup_and_liquid_are_no_words() -> None:
    assert plain_words('<p class="x">A{{ order.number }}</p>{% if order.items %}b{% endif %}') == "A\ufffc b"
