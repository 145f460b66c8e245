"""Parts of short messages, counted as operators count them (T100, D17)."""

import pytest

from recoup.messaging.sms.letters import measure, tidy


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts", "room"),
    [
        ("", "gsm", 0, 0, 160),
        ("a" * 160, "gsm", 160, 1, 0),
        ("a" * 161, "gsm", 161, 2, 145),
        ("a" * 306, "gsm", 306, 2, 0),
        ("a" * 307, "gsm", 307, 3, 152),
        ("€" * 80, "gsm", 160, 1, 0),
        ("€" * 81, "gsm", 162, 2, 143),
        ("a" * 152 + "€" + "a" * 10, "gsm", 164, 2, 141),  # the euro is not cut: it begins the second part
        ("ż" + "a" * 69, "ucs2", 70, 1, 0),
        ("ż" + "a" * 70, "ucs2", 71, 2, 63),
        ("Здравствуйте", "ucs2", 12, 1, 58),
        ("a" * 66 + "😀" + "a" * 10, "ucs2", 78, 2, 55),  # neither is an emoji
        ("äöüÄÖÜßñàèéìòùÇÅÆ@£$¥§¿¡\n", "gsm", 25, 1, 135),
        ("ç", "ucs2", 1, 1, 69),  # the small one is not in the table, the capital is
        ("[a]{b}~^\\|", "gsm", 18, 1, 142),
    ],
)
def test_a_text_takes_so_many_parts(text: str, encoding: str, units: int, parts: int, room: int) -> None:
    found = measure(text)

    assert (found.encoding, found.units, found.parts, found.room) == (encoding, units, parts, room)


def test_an_emoji_turns_one_part_into_three() -> None:
    text = "a" * 150

    assert [measure(text).parts, measure(text + "😀").parts] == [1, 3]
    assert measure(text + "😀ż😀").foreign == "😀ż"


def test_typographic_signs_are_written_plainly_and_letters_stay() -> None:
    assert tidy("Do zapłaty: 199,00\u00a0zł – „dziękujemy”…\r\n\r\n\r\n\r\nPa ") == (
        'Do zapłaty: 199,00 zł - "dziękujemy"...\n\nPa'
    )


@pytest.mark.parametrize(
    ("text", "plain", "parts"),
    [
        ("Zażółć gęślą jaźń ŁÓDŹ", "Zazolc gesla jazn LODZ", 1),
        ("Größe äöü ñ é", "Größe äöü ñ é", 1),  # GSM 03.38 has these
        ("œuvre ç ě", "oeuvre c e", 1),
        ("Оплатите заказ", "Оплатите заказ", 1),
    ],
)
def test_without_diacritics_every_letter_of_the_table_stays(text: str, plain: str, parts: int) -> None:
    assert tidy(text, is_without_diacritics=True) == plain
    assert measure(plain).parts == parts
