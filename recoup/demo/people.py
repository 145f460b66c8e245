"""Believable people and goods: short lists, read through by hand, for each language."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Good:
    """Something the demo shop sells."""

    ref: str
    name: str
    price: Decimal
    cost: Decimal | None = None  # as the shop tells it


@dataclass(frozen=True, slots=True)
class Names:
    """First names, and last names in the form that goes with each."""

    her: tuple[str, ...]
    her_last: tuple[str, ...]
    his: tuple[str, ...]
    his_last: tuple[str, ...]


NAMES = {
    "pl": Names(
        ("Anna", "Marta", "Katarzyna", "Magdalena", "Joanna", "Agnieszka", "Ewa", "Zofia", "Alicja", "Monika", "Natalia",
         "Karolina", "Barbara", "Dorota", "Iwona", "Justyna", "Helena", "Kinga"),
        ("Kowalska", "Wiśniewska", "Wójcik", "Kamińska", "Lewandowska", "Zielińska", "Jankowska", "Mazur", "Piotrowska",
         "Pawlak", "Król", "Wieczorek", "Jabłońska", "Stępień", "Malinowska", "Rutkowska", "Baran", "Duda"),
        ("Piotr", "Tomasz", "Michał", "Paweł", "Łukasz", "Jan", "Wojciech", "Marcin", "Adam"),
        ("Szymański", "Dąbrowski", "Kozłowski", "Krawczyk", "Grabowski", "Michalski", "Wróbel", "Górski", "Sikora"),
    ),
    "de": Names(
        ("Julia", "Lena", "Sabine", "Katrin", "Anja", "Monika", "Petra", "Birgit"),
        ("Schneider", "Hoffmann", "Krüger", "Vogel", "Schröder", "Brandt", "Lorenz", "Winter"),
        ("Thomas", "Markus", "Stefan", "Jonas", "Felix"),
        ("Becker", "Weber", "Lange", "Keller", "Neumann"),
    ),
    "ru": Names(
        ("Мария", "Елена", "Ольга", "Наталья", "Ирина", "Татьяна", "Анна"),
        ("Орлова", "Соколова", "Белова", "Морозова", "Лебедева", "Фёдорова", "Романова"),
        ("Дмитрий", "Алексей", "Сергей"),
        ("Козлов", "Зайцев", "Новиков"),
    ),
    "en": Names(
        ("Emma", "Sophie", "Grace", "Chloe", "Hannah", "Lucy"),
        ("Clarke", "Turner", "Murphy", "Parker", "Brooks", "Ward"),
        ("Oliver", "James", "Daniel", "Thomas"),
        ("Bennett", "Walsh", "Hughes", "Reid"),
    ),
}  # fmt: skip
GOODS = (
    Good("krem-lawenda", "Krem do rąk Lawenda 75 ml", Decimal("39.00"), Decimal("14.20")),
    Good("olejek-roza", "Olejek do twarzy Dzika Róża 30 ml", Decimal("89.00"), Decimal("38.50")),
    Good("mydlo-owies", "Mydło owsiane 100 g", Decimal("24.00"), Decimal("8.10")),
    Good("szampon-pokrzywa", "Szampon z pokrzywą 250 ml", Decimal("46.00"), Decimal("19.90")),
    Good("swieca-figa", "Świeca sojowa Figa 180 g", Decimal("69.00"), Decimal("27.40")),
    Good("balsam-len", "Balsam do ciała Len 200 ml", Decimal("58.00"), Decimal("24.00")),
    Good("peeling-kawa", "Peeling kawowy 200 g", Decimal("42.00"), Decimal("15.60")),
    Good("zestaw-prezent", "Zestaw prezentowy Ogród", Decimal("189.00")),
    Good("warsztat-mydlo", "Warsztaty online: mydło w domu", Decimal("249.00")),
    Good("woda-rozana", "Woda różana 100 ml", Decimal("34.00")),
)
# What the owner has entered by hand; the rest nobody has said, and the share of the shop stands in for it.
ENTERED = {"zestaw-prezent": Decimal("96.00"), "warsztat-mydlo": Decimal("60.00")}
DOMAINS = {
    "pl": ("poczta.example", "skrzynka.example"),
    "de": ("post.example",),
    "ru": ("pochta.example",),
    "en": ("mail.example",),
}
CODES = {"а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "y",
         "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
         "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu",
         "я": "ya"}  # fmt: skip
CONSENT_WORDS = {
    "pl": "Zgadzam się na przypomnienia o koszyku i oferty e-mailem.",
    "de": "Ich möchte per E-Mail an meinen Warenkorb erinnert werden und Angebote erhalten.",
    "ru": "Я согласен получать по почте напоминания о корзине и предложения.",
    "en": "I agree to reminders of my cart and offers by e-mail.",
}
COUNTRIES = {"pl": "PL", "de": "DE", "ru": "RU", "en": "GB"}
ZONES = {"pl": "Europe/Warsaw", "de": "Europe/Berlin", "ru": "Europe/Moscow", "en": "Europe/London"}
STREETS = {
    "pl": (
        ("ul. Lipowa 12/4", "31-112", "Kraków"),
        ("ul. Ogrodowa 8", "61-821", "Poznań"),
        ("ul. Polna 27/15", "00-630", "Warszawa"),
        ("ul. Kwiatowa 3", "80-306", "Gdańsk"),
        ("ul. Szkolna 19/2", "50-116", "Wrocław"),
    ),
    "de": (
        ("Lindenstraße 7", "10969", "Berlin"),
        ("Gartenweg 21", "50823", "Köln"),
        ("Schillerstraße 4", "04109", "Leipzig"),
    ),
    "ru": (
        ("ул. Садовая, 14, кв. 6", "191023", "Санкт-Петербург"),
        ("ул. Мира, 3, кв. 41", "620002", "Екатеринбург"),
    ),
    "en": (("8 Orchard Road", "BS3 1AB", "Bristol"), ("27 Mill Lane", "LS2 7EW", "Leeds")),
}
