"""Numbers that get no short message (T64)."""

import pytest

from recoup.messaging.sms.numbers import country_of, refusal

HERE = frozenset({"PL", "US"})


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+48501234567", ""),
        ("+12015550123", ""),  # of North American numbers nobody can tell whether they are mobile
        ("+48221234567", "not_mobile"),  # Warsaw, a fixed line
        ("+48701234567", "not_mobile"),  # premium
        ("+48801234567", "not_mobile"),  # shared cost
        ("+882161234567", "not_mobile"),  # satellite
        ("+19002345678", "not_mobile"),
        ("+491701234567", "country_not_allowed"),
        ("+4850123456", "address_bad"),
        ("+48" + "5" * 28, "address_bad"),
        ("+48٥٠١٢٣٤٥٦٧", "address_bad"),
        ("501234567", "address_bad"),
        ("", "address_bad"),
    ],
)
def test_only_mobile_numbers_of_allowed_countries(number: str, reason: str) -> None:
    found = refusal(number, HERE)

    assert found == reason or (number.startswith("+882") and found in {"not_mobile", "address_bad"})


def test_satellites_have_no_country() -> None:
    assert [country_of("+48501234567"), country_of("+882161234567"), country_of("x")] == ["PL", "", ""]
