"""One spelling for e-mail addresses and phone numbers, never more than is certain (T42, T64, A12)."""

import re
import string
import unicodedata

import phonenumbers

_ADDRESS = re.compile(
    r"[^\s@,;<>\"\x00-\x1f\x7f]{1,64}@[^\s@,;<>\"\x00-\x1f\x7f]{1,190}\.[^\s@,;<>\"\x00-\x1f\x7f.]{2,63}"
)
# Letters of other scripts that are drawn like Latin ones, and one of ours without its dot.
_LOOK_ALIKES = str.maketrans("ıаеорсухіјѕԁɡһӏνοα", "iaeopcyxijsdghlvoa")
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def email_key(address: str) -> str:
    """Return the address in ASCII lower case, or an empty text if it is not one address.

    Letters beyond ASCII are left alone, so that look-alikes (`mıke@`) never become one person.
    """
    address = address.strip()
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        return ""
    return address.translate(_LOWER)


def email_alias(address: str) -> str:
    """Return what an address is an alias of, as far as habits of providers tell: a reason to suggest, never to merge.

    An empty text if it is no address.
    """
    if not email_key(address):
        return ""
    local, _, domain = email_key(address).partition("@")
    local = local.split("+", 1)[0]
    if domain in {"gmail.com", "googlemail.com"}:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def email_look(address: str) -> str:
    """Return what an address looks like, whatever letters it is written with: a reason to suggest, never to merge."""
    folded = unicodedata.normalize("NFKD", email_alias(address).casefold()).translate(_LOOK_ALIKES)
    return "".join(sign for sign in folded if not unicodedata.combining(sign))


def phone_key(number: str, country: str) -> str:
    """Return the number in E.164, or an empty text.

    :param country: ISO code of the country the buyer named; a national number without it is not guessed.
    """
    if not number or len(number) > 40 or not number.isascii():
        return ""
    text = number.strip()
    text = f"+{text[2:]}" if text.startswith("00") else text
    if not text.startswith("+") and not country:
        return ""
    try:
        parsed = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(parsed):
        return ""
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def clean_name(name: str) -> str:
    """Return a name without control and direction signs, cut at 200 characters (T18, T87)."""
    kept = "".join(
        sign
        for sign in name
        if sign.isprintable() and sign not in "\u202a\u202b\u202c\u202d\u202e\u2028\u2029"
    )
    return " ".join(kept.split())[:200]
