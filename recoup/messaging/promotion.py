"""Words that make a text advertising: a discount, a code, a gift, an invitation to buy (D16, J12).

Every text is read for the words of all our languages: people mix them. A word alone rarely decides, because "discount" also
stands in the sum of an order; it takes what is promised: how much, by which code, free of what. Liquid prints what is true
of an order, so only what its author wrote around it counts, and the fallbacks.
"""

import re
from collections.abc import Iterable, Mapping
from html import unescape

MOST_SHOWN = 5
_MOST_READ = 40_000  # characters of one part: Gmail hides all after 102 KB of HTML

_STYLES = re.compile(r"<(mj-style|style|mj-title|title)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_OUTPUT = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_TAGS_OF_LIQUID = re.compile(r"\{%.*?%\}", re.DOTALL)
_TAGS = re.compile(r"<[^>]*>", re.DOTALL)
_LITERAL = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_SPACE = re.compile(r"[\s\u00a0\u2007\u202f\u2009]+")

_NUMBER = r"\d{1,3}(?:[.,]\d+)?"
_PERCENT = (
    rf"(?!0+(?:[.,]0+)?\s?(?:%|p))(?<![\d.,]){_NUMBER}\s?(?:%|percent\b|procent\w*|prozent\b|процент\w*)"
)
_CURRENCY = r"(?:€|\$|£|zł|₽|eur\b|euro\b|usd\b|gbp\b|pln\b|rub\b|руб\w*\.?|рубл\w*|złot\w+)"
_MONEY = rf"(?<![\d.,])(?:{_CURRENCY}\s?\d[\d .,]{{0,12}}|\d[\d .,]{{0,12}}\s?{_CURRENCY})"
_AMOUNT = rf"(?:{_PERCENT}|{_MONEY})"
_CODE = r"(?-i:[A-ZĄĆĘŁŃÓŚŹŻÄÖÜА-ЯЁ][A-Z0-9ĄĆĘŁŃÓŚŹŻÄÖÜА-ЯЁ_-]{3,})"

_PATTERNS: Mapping[str, tuple[str, ...]] = {
    "any": (
        r"(?<![\w.,%-])[-−]\d{1,2}\s?%",  # -20%
        r"\bblack friday\b|\bcyber monday\b",
        r"\bcash-?back\b|\b[ck]е?шб[эе]к\w*|\bкэшб[эе]к\w*",
        r"\bgratis\w*",
    ),
    "en": (
        rf"{_AMOUNT}\s?(?:off|discount|reduction|rebate|cheaper|savings?)\b",
        rf"\b(?:discount|reduction|rebate|save|saving|off|cheaper by)s?\W{{0,3}}(?:of|by|up to|another)?\s?{_AMOUNT}",
        r"\b(?:get|enjoy|claim|receive|offer you|give you|take|use) (?:\w+ ){0,3}discounts?\b",
        r"\b(?:discount|promo|promotion|promotional|coupon)[ -]?codes?\b|\bcoupons?\b",
        rf"\b(?:use|with|enter|apply) (?:the |this |your )?(?:promo |discount |voucher )?code:? [\"“'‘]?{_CODE}",
        r"\bfree (?:shipping|delivery|postage|gifts?|samples?|trial)\b|\b(?:shipping|delivery) (?:is |for )?free\b(?! of)",
        r"\b(?:special|exclusive|limited|limited[- ]time|best|great) (?:offer|deal|price)s?\b|\bbargains?\b",
        r"\b(?:summer|winter|spring|autumn|flash|clearance|big|our|the|in the|annual) sale\b|\bon sale\b",
        r"\bhalf[- ]price\b|\bbuy one,? get one\b|\b(?:2|3) for (?:1|2)\b|\breduced prices?\b|\bprice drops?\b",
        r"\bnew (?:arrivals|collection|products|in (?:our|the) (?:shop|store))\b|\bwhat(?: is|[’']s) new\b",
        r"\byou (?:may|might) also like\b|\brecommended for you\b",
    ),
    "pl": (
        rf"{_AMOUNT}\s?(?:rabatu|zniżki|upustu|obniżki|taniej|mniej|bonifikaty)\b",
        (
            rf"\b(?:rabat|zniżk|upust|obniżk|bonifikat|promocj|przecen|oszczęd|taniej)\w*\W{{0,3}}"
            rf"(?:o|do|nawet|aż|w wysokości|na)?\s?(?:do )?{_AMOUNT}"
        ),
        (
            r"\b(?:mamy|dajemy|damy|otrzyma\w+|dostan\w+|odbierz\w*|odbior\w+|czeka|specjaln\w+|dodatkow\w+) (?:\w+ ){0,3}"
            r"(?:rabat|zniżk|upust)\w*"
        ),
        r"\bkod\w* (?:rabatow|promocyjn|zniżkow)\w*|\bkupon\w*|\bbon\w* (?:rabatow|zakupow|podarunkow)\w*",
        rf"\b(?:z|wpisz|podaj|użyj|hasł\w+|na)\s?(?:kod\w*|hasł\w*):? [„\"']?{_CODE}",
        r"\b(?:darmow|bezpłatn)\w+ (?:dostaw|wysyłk|przesyłk|prezent|próbk|upomin)\w*|\b(?:dostaw|wysyłk)\w+ za darmo\b",
        r"\bpromocj\w*|\bpromocyjn\w*|\bwyprzedaż\w*|\bprzecen\w*",
        r"\b(?:specjaln|wyjątkow|ekskluzywn)\w+ (?:ofert|cen)\w*|\bofert\w* (?:specjaln|wyjątkow)\w*|\bprezent\w* dla\b",
        r"\bnowości\w*|\bnow(?:a|ej|ą) kolekcj\w*|\bco (?:u nas )?now(?:ego|e)\b|\btylko dziś\b",
    ),
    "de": (
        rf"{_AMOUNT}\s?(?:rabatt\w*|nachlass|preisnachlass|ermäßigung|günstiger|billiger|reduziert|sparen|gespart)\b",
        (
            rf"\b(?:rabatt|nachlass|preisnachlass|ermäßigung|ersparnis|sparen(?: sie)?|spar)\w*\W{{0,3}}"
            rf"(?:von|bis zu|um|jetzt|in höhe von)?\s?{_AMOUNT}"
        ),
        (
            r"\b(?:erhalten|bekommen|schenken|gewähren|sichern|geben|einen|ihren|exklusiven|extra) (?:\w+ ){0,3}"
            r"(?:\w*rabatt|preisnachlass)\b"
        ),
        r"\b(?:rabatt|gutschein|aktions|promo|vorteils|coupon)[ -]?codes?\b|\brabattaktion\w*",
        rf"\b(?:mit|gib|geben sie|nutzen sie) (?:dem|den|ihrem|ihren)? ?code:? [„\"'»]?{_CODE}",
        r"\b(?:kostenlos|kostenfrei)\w* (?:versand|lieferung|geschenk|zugabe|probe|muster)\w*|\bversandkostenfrei\w*",
        r"\bsonder(?:angebot|aktion|preis)\w*|\bangebotspreis\w*|\bschnäppchen\w*|\b(?:aus|schluss)verkauf\w*|\bnur heute\b",
        r"\bneuheiten\b|\bneue kollektion\b|\bwas es (?:bei uns )?neues gibt\b|\bdas könnte ihnen (?:auch )?gefallen\b",
    ),
    "ru": (
        rf"{_AMOUNT}\s?(?:скидк\w*|дешевле|выгод\w*|экономи\w*)",
        rf"\b(?:скидк|выгод|дешевле|экономи|сэконом)\w*\W{{0,3}}(?:в размере|до|на|в|целых)?\s?{_AMOUNT}",
        r"\b(?:дарим|получите|получи|подготовили|даём|даем|ваша|вашей|персональн\w+|дополнительн\w+) (?:\w+ ){0,3}скидк\w*",
        r"\bпромо-?код\w*|\bкупон\w*|\bкод\w* (?:на|со) скидк\w*",
        rf"\b(?:по|введите|укажите|с) (?:коду|код|кодом):? [«\"']?{_CODE}",
        r"\bбесплатн\w+ (?:доставк|пересылк|подар|образ|пробн)\w*|\bдоставк\w* (?:—|-|–)? ?бесплатн\w*|\bв подарок\b",
        r"\bакци(?:я|и|ю|ей|ями|ях|ям)\b|\bраспродаж\w*|\bспецпредложен\w*",
        r"\b(?:специальн|выгодн|особ|уникальн)\w+ (?:предложен|цен)\w*|\bтолько сегодня\b",
        r"\bновин(?:к|ок)\w*|\bновая коллекция\b|\bчто у нас нового\b|\bновости магазина\b",
    ),
}  # fmt: skip
_ALL = re.compile("|".join(f"(?:{one})" for group in _PATTERNS.values() for one in group), re.IGNORECASE)


def plain_words(source: str) -> str:
    """Return what an author wrote, without MJML and Liquid; what a fallback would print stands at its end."""
    fallbacks: list[str] = []

    def printed(found: re.Match[str]) -> str:
        fallbacks.extend(one or other for one, other in _LITERAL.findall(found[0]))
        return "\N{OBJECT REPLACEMENT CHARACTER}"

    text = _STYLES.sub(" ", source)
    text = _OUTPUT.sub(printed, text)
    text = _TAGS.sub(" ", _TAGS_OF_LIQUID.sub(" ", text))
    return _SPACE.sub(" ", unescape(" . ".join([text, *fallbacks]))).replace("％", "%").strip()[:_MOST_READ]


def advertising_words(*sources: str) -> list[str]:
    """Return the words that make these parts of a text advertising, as they stand there; nothing if they are none."""
    found: dict[str, str] = {}
    for source in sources:
        for match in _ALL.finditer(plain_words(source)):
            words = match[0].strip(" .,:;–—-") if not match[0].startswith(("-", "−")) else match[0]
            found.setdefault(words.casefold(), words)
    return list(found.values())[:MOST_SHOWN]


def words_of_texts(texts: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """Return the words of each language's text of a version or a draft; a language without any is missing."""
    found = {locale: advertising_words(*_parts(text)) for locale, text in texts.items()}
    return {locale: words for locale, words in found.items() if words}


def _parts(text: Mapping[str, str]) -> Iterable[str]:
    return (str(text.get(part) or "") for part in ("subject", "preheader", "body", "text"))
