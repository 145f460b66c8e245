"""The demo bank's page in four languages: its own words, as a foreign bank has its own."""

from dataclasses import dataclass
from functools import cache

_EN = {
    "title": "Demo bank",
    "pay": "Pay",
    "give_up": "Back to the shop without paying",
    "back": "Back to the shop",
    "refused": "This cannot be done: the payment has ended.",
    "try_out": "Try what happens when …",
    "no_money": "No money moves here. These buttons show how the shop copes with what real banks do.",
    "declines": "… the payment is declined",
    "moods": "… the bank has a bad day",
    "method.card": "Card",
    "method.blik": "BLIK",
    "method.transfer": "Bank transfer",
    "status.paid": "Paid.",
    "status.declined": "Declined. Nothing was taken.",
    "status.cancelled": "Cancelled by the shop. Nothing was taken.",
    "status.expired": "The time to pay is over. Nothing was taken.",
    "status.refunded": "Given back.",
    "decline.insufficient_funds": "Not enough money",
    "decline.limit_exceeded": "Daily limit reached",
    "decline.lost_card": "Card reported lost",
    "decline.closed_account": "Account closed",
    "decline.given_up": "The buyer gave up",
    "decline.expired_card": "Card has expired",
    "decline.authentication_failed": "Not confirmed in the app",
    "decline.bank_unreachable": "The card's bank does not answer",
    "decline.suspected_fraud": "Looks like fraud",
    "decline.currency_not_supported": "Currency not supported",
    "decline.do_not_honor": "Refused without a reason",
    "mood.pay_silently": "Paid, but the shop is never told",
    "mood.pay_twice": "Paid, and the shop is told twice",
    "mood.pay_late": "Paid half a minute later",
    "mood.pay_other_sum": "Paid, but not the whole sum",
    "mood.hang": "No answer for half a minute",
}
_PL = {
    "title": "Bank demonstracyjny",
    "pay": "Zapłać",
    "give_up": "Wróć do sklepu bez płacenia",
    "back": "Wróć do sklepu",
    "refused": "Nie można tego zrobić: płatność została zakończona.",
    "try_out": "Sprawdź, co się stanie, gdy …",
    "no_money": "Tu nie płyną pieniądze. Te przyciski pokazują, jak sklep radzi sobie z tym, co robią prawdziwe banki.",
    "declines": "… płatność zostanie odrzucona",
    "moods": "… bank ma gorszy dzień",
    "method.card": "Karta",
    "method.blik": "BLIK",
    "method.transfer": "Przelew",
    "status.paid": "Zapłacono.",
    "status.declined": "Odrzucono. Nic nie pobrano.",
    "status.cancelled": "Anulowane przez sklep. Nic nie pobrano.",
    "status.expired": "Czas na płatność minął. Nic nie pobrano.",
    "status.refunded": "Zwrócono.",
    "decline.insufficient_funds": "Za mało środków",
    "decline.limit_exceeded": "Przekroczony limit dzienny",
    "decline.lost_card": "Karta zgłoszona jako utracona",
    "decline.closed_account": "Rachunek zamknięty",
    "decline.given_up": "Kupujący zrezygnował",
    "decline.expired_card": "Karta straciła ważność",
    "decline.authentication_failed": "Brak potwierdzenia w aplikacji",
    "decline.bank_unreachable": "Bank karty nie odpowiada",
    "decline.suspected_fraud": "Podejrzenie oszustwa",
    "decline.currency_not_supported": "Nieobsługiwana waluta",
    "decline.do_not_honor": "Odmowa bez podania przyczyny",
    "mood.pay_silently": "Zapłacono, ale sklep nie zostaje powiadomiony",
    "mood.pay_twice": "Zapłacono, a sklep zostaje powiadomiony dwa razy",
    "mood.pay_late": "Zapłacono pół minuty później",
    "mood.pay_other_sum": "Zapłacono, ale nie całą kwotę",
    "mood.hang": "Brak odpowiedzi przez pół minuty",
}
_RU = {
    "title": "Демонстрационный банк",
    "pay": "Оплатить",
    "give_up": "Вернуться в магазин без оплаты",
    "back": "Вернуться в магазин",
    "refused": "Это невозможно: платёж уже завершён.",
    "try_out": "Посмотрите, что будет, если …",
    "no_money": "Денег здесь нет. Эти кнопки показывают, как магазин справляется с тем, что делают настоящие банки.",
    "declines": "… платёж отклонён",
    "moods": "… у банка плохой день",
    "method.card": "Карта",
    "method.blik": "BLIK",
    "method.transfer": "Банковский перевод",
    "status.paid": "Оплачено.",
    "status.declined": "Отклонено. Ничего не списано.",
    "status.cancelled": "Отменено магазином. Ничего не списано.",
    "status.expired": "Время оплаты истекло. Ничего не списано.",
    "status.refunded": "Деньги возвращены.",
    "decline.insufficient_funds": "Недостаточно средств",
    "decline.limit_exceeded": "Превышен дневной лимит",
    "decline.lost_card": "Карта заявлена утерянной",
    "decline.closed_account": "Счёт закрыт",
    "decline.given_up": "Покупатель передумал",
    "decline.expired_card": "Срок действия карты истёк",
    "decline.authentication_failed": "Не подтверждено в приложении",
    "decline.bank_unreachable": "Банк карты не отвечает",
    "decline.suspected_fraud": "Похоже на мошенничество",
    "decline.currency_not_supported": "Валюта не поддерживается",
    "decline.do_not_honor": "Отказ без указания причины",
    "mood.pay_silently": "Оплачено, но магазин об этом не узнаёт",
    "mood.pay_twice": "Оплачено, и магазин узнаёт об этом дважды",
    "mood.pay_late": "Оплачено через полминуты",
    "mood.pay_other_sum": "Оплачено, но не вся сумма",
    "mood.hang": "Полминуты без ответа",
}
_DE = {
    "title": "Demobank",
    "pay": "Bezahlen:",
    "give_up": "Zurück zum Shop, ohne zu bezahlen",
    "back": "Zurück zum Shop",
    "refused": "Das geht nicht: Die Zahlung ist abgeschlossen.",
    "try_out": "Probieren Sie aus, was geschieht, wenn …",
    "no_money": "Hier fließt kein Geld. Diese Knöpfe zeigen, wie der Shop mit dem umgeht, was echte Banken tun.",
    "declines": "… die Zahlung abgelehnt wird",
    "moods": "… die Bank einen schlechten Tag hat",
    "method.card": "Karte",
    "method.blik": "BLIK",
    "method.transfer": "Überweisung",
    "status.paid": "Bezahlt.",
    "status.declined": "Abgelehnt. Es wurde nichts abgebucht.",
    "status.cancelled": "Vom Shop abgebrochen. Es wurde nichts abgebucht.",
    "status.expired": "Die Zeit zum Bezahlen ist abgelaufen. Es wurde nichts abgebucht.",
    "status.refunded": "Erstattet.",
    "decline.insufficient_funds": "Nicht genug Guthaben",
    "decline.limit_exceeded": "Tageslimit erreicht",
    "decline.lost_card": "Karte als verloren gemeldet",
    "decline.closed_account": "Konto aufgelöst",
    "decline.given_up": "Käufer hat abgebrochen",
    "decline.expired_card": "Karte abgelaufen",
    "decline.authentication_failed": "In der App nicht bestätigt",
    "decline.bank_unreachable": "Die Bank der Karte antwortet nicht",
    "decline.suspected_fraud": "Betrugsverdacht",
    "decline.currency_not_supported": "Währung nicht unterstützt",
    "decline.do_not_honor": "Ohne Grund abgelehnt",
    "mood.pay_silently": "Bezahlt, aber der Shop erfährt es nicht",
    "mood.pay_twice": "Bezahlt, und der Shop erfährt es zweimal",
    "mood.pay_late": "Eine halbe Minute später bezahlt",
    "mood.pay_other_sum": "Bezahlt, aber nicht die ganze Summe",
    "mood.hang": "Eine halbe Minute keine Antwort",
}
LANGUAGES = {"en": _EN, "pl": _PL, "ru": _RU, "de": _DE}


@dataclass(frozen=True, slots=True)
class Words:
    """The page's words in one language."""

    locale: str

    def __getattr__(self, name: str) -> str:
        return LANGUAGES[self.locale][name]

    def method(self, code: str) -> str:
        """Return the name of a method."""
        return LANGUAGES[self.locale].get(f"method.{code}", code)

    def status(self, code: str) -> str:
        """Return how a payment ended."""
        return LANGUAGES[self.locale].get(f"status.{code}", code)

    def decline(self, code: str) -> str:
        """Return the words of a decline."""
        return LANGUAGES[self.locale].get(f"decline.{code}", code)

    def mood(self, code: str) -> str:
        """Return the words of a mood."""
        return LANGUAGES[self.locale][f"mood.{code}"]


@cache
def words_of(locale: str) -> Words:
    """Return the words of a locale's language, English if it is none of ours."""
    language = locale.replace("_", "-").split("-")[0].lower()
    return Words(language if language in LANGUAGES else "en")
