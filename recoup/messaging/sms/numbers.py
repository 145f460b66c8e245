"""Which numbers a short message may go to: E.164 alone, mobile, in a country that the shop allows (T64)."""

from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
UNREADABLE, NOT_MOBILE, COUNTRY = "address_bad", "not_mobile", "country_not_allowed"


@lru_cache(maxsize=4096)
def country_of(number: str) -> str:
    """Return the country of a number in E.164; empty for satellites and the like, which have none."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ""
    return str(region) if region and region != "001" else ""


@lru_cache(maxsize=4096)
def refusal(number: str, countries: frozenset[str]) -> str:
    """Return why no short message goes to a number: `address_bad`, `not_mobile`, `country_not_allowed`; or nothing.

    Premium, shared-cost, satellite and fixed numbers are no mobiles, so that nobody makes money by leaving theirs.
    """
    if not number.startswith("+") or not number[1:].isdigit() or not number.isascii():
        return UNREADABLE
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return UNREADABLE
    if not phonenumbers.is_valid_number(parsed):
        return UNREADABLE
    if phonenumbers.number_type(parsed) not in _MOBILE:
        return NOT_MOBILE
    return "" if country_of(number) in countries else COUNTRY
