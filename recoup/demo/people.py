"""Believable people and goods: short lists, read through by hand, for each language."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Good:
    """Something the demo shop sells."""

    ref: str
    name: str
    price: Decimal


NAMES = {
    "pl": (
        "Anna Kowalska", "Marta Wiśniewska", "Katarzyna Wójcik", "Magdalena Kamińska", "Joanna Lewandowska",
        "Agnieszka Zielińska", "Piotr Szymański", "Tomasz Dąbrowski", "Michał Kozłowski", "Ewa Jankowska",
        "Zofia Mazur", "Paweł Krawczyk", "Alicja Piotrowska", "Łukasz Grabowski", "Monika Pawlak", "Jan Michalski",
        "Natalia Król", "Karolina Wieczorek", "Barbara Jabłońska", "Wojciech Wróbel", "Dorota Stępień",
        "Iwona Malinowska", "Marcin Górski", "Justyna Rutkowska", "Adam Sikora", "Helena Baran", "Kinga Duda",
    ),
    "de": (
        "Julia Schneider", "Lena Hoffmann", "Thomas Becker", "Sabine Krüger", "Markus Weber", "Katrin Vogel",
        "Stefan Lange", "Anja Schröder", "Jonas Keller", "Monika Brandt", "Felix Neumann", "Petra Lorenz",
    ),
    "ru": (
        "Мария Орлова", "Елена Соколова", "Ольга Белова", "Дмитрий Козлов", "Наталья Морозова", "Алексей Зайцев",
        "Ирина Лебедева", "Сергей Новиков", "Татьяна Фёдорова", "Анна Романова",
    ),
    "en": (
        "Emma Clarke", "Oliver Bennett", "Sophie Turner", "James Walsh", "Grace Murphy", "Daniel Hughes",
        "Chloe Parker", "Thomas Reid", "Hannah Brooks", "Lucy Ward",
    ),
}  # fmt: skip
GOODS = (
    Good("krem-lawenda", "Krem do rąk Lawenda 75 ml", Decimal("39.00")),
    Good("olejek-roza", "Olejek do twarzy Dzika Róża 30 ml", Decimal("89.00")),
    Good("mydlo-owies", "Mydło owsiane 100 g", Decimal("24.00")),
    Good("szampon-pokrzywa", "Szampon z pokrzywą 250 ml", Decimal("46.00")),
    Good("swieca-figa", "Świeca sojowa Figa 180 g", Decimal("69.00")),
    Good("balsam-len", "Balsam do ciała Len 200 ml", Decimal("58.00")),
    Good("peeling-kawa", "Peeling kawowy 200 g", Decimal("42.00")),
    Good("zestaw-prezent", "Zestaw prezentowy Ogród", Decimal("189.00")),
    Good("warsztat-mydlo", "Warsztaty online: mydło w domu", Decimal("249.00")),
    Good("woda-rozana", "Woda różana 100 ml", Decimal("34.00")),
)
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
COUNTRIES = {"pl": "PL", "de": "DE", "ru": "RU", "en": "GB"}
ZONES = {"pl": "Europe/Warsaw", "de": "Europe/Berlin", "ru": "Europe/Moscow", "en": "Europe/London"}
STREETS = {
    "pl": ("ul. Lipowa 12/4", "31-112", "Kraków"),
    "de": ("Lindenstraße 7", "10969", "Berlin"),
    "ru": ("ул. Садовая, 14", "191023", "Санкт-Петербург"),
    "en": ("8 Orchard Road", "BS3 1AB", "Bristol"),
}
