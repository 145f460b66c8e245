"""Which words tie a text to its day, and which only look so."""

import pytest

from recoup.messaging.dayness import day_words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Your order can be paid until midnight today.", ["today"]),
        ("Tomorrow it is gone, and tonight too", ["Tomorrow", "tonight"]),
        ("Zapłać jeszcze dziś", ["dziś"]),
        ("Oferta kończy się jutro", ["jutro"]),
        ("Heute noch bezahlen", ["Heute"]),
        ("Guten Morgen, am Morgen wird ausgeliefert", []),
        ("Das Angebot endet morgen", ["morgen"]),
        ("Только сегодня", ["сегодня"]),
        ("Приходите на завтрак", []),
        ("Приходите завтра", ["завтра"]),
        ("The todays of the world", []),
        ("{{ order.today }} {% comment %}today{% endcomment %}", ["today"]),
        ('{{ offer.expires | date: "weekday" }}', ['date: "weekday"']),
        ('{{ offer.expires | date: "%A, %d.%m.%Y" }}', ['date: "%A, %d.%m.%Y"']),
        ('{{ offer.expires | date: "long" }}', []),
    ],
)
def test_words_of_the_day(text: str, found: list[str]) -> None:
    assert day_words(text) == found
