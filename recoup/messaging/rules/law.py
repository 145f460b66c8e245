"""The table that comes with the product: what the law of a country makes of a message, and where that stands.

It is checked by people who read the sources anew; `CHECKED` says when that was done last. Where sources leave room, the
stricter reading stands here, and a shop that knows better changes its own table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recoup.messaging.models import Message
from recoup.messaging.rules.kinds import Content, Relation

CHECKED = date(2026, 11, 28)
OTHER = ""  # every country that is not named, and everybody whose country is not known
COUNTRIES = ("PL", "DE", "RU", "GB", "US", OTHER)

_CONTRACT, _SOFT = Message.MessageClass.CONTRACT, Message.MessageClass.SOFT_OPT_IN
_CONSENT = Message.MessageClass.NEEDS_CONSENT


@dataclass(frozen=True, slots=True)
class Law:
    """What one country makes of one content, for each relation, since when, and the source in words."""

    since: date
    order: str
    customer: str
    neither: str
    source: Promise

    def verdict(self, relation: str) -> str:
        """Return the class of a message to a reader of this relation."""
        return {Relation.ORDER: self.order, Relation.CUSTOMER: self.customer}.get(
            Relation(relation), self.neither
        )


# Without an order nothing carries out a contract, whatever the text says.
_PERFORMANCE = _(
    "GDPR Art. 6(1)(b): a message that carries out the contract which the person concluded is no advertising, as "
    "long as it says nothing else."
)
_UK_PERFORMANCE = _(
    "UK GDPR Art. 6(1)(b) and the ICO's guidance on direct marketing: a service message without any promotion is no"
    " marketing."
)
_POLAND_BEFORE = Law(
    date(2003, 3, 10),
    _CONSENT,
    _CONSENT,
    _CONSENT,
    _(
        "Act on Providing Services by Electronic Means, Art. 10, and Telecommunications Law, Art. 172, until 9 November "
        "2024: commercial information by e-mail or SMS needed prior consent."
    ),
)

LAW: Mapping[tuple[str, str], Law] = {
    ("PL", Content.CONTRACT): Law(date(2018, 5, 25), _CONTRACT, _CONTRACT, _CONSENT, _PERFORMANCE),
    ("PL", Content.CART): Law(
        date(2024, 11, 10),
        _CONSENT,
        _CONSENT,
        _CONSENT,
        _(
            "Electronic Communications Law (Prawo komunikacji elektronicznej), Art. 398, since 10 November 2024: "
            "direct marketing by e-mail or SMS needs prior consent. A cart is no order, so its reminder is "
            "marketing."
        ),
    ),
    ("PL", Content.ADVERTISING): Law(
        date(2024, 11, 10),
        _CONSENT,
        _CONSENT,
        _CONSENT,
        _(
            "Electronic Communications Law (Prawo komunikacji elektronicznej), Art. 398: prior consent, also from "
            "customers; there is no exception for those who bought before."
        ),
    ),
    ("DE", Content.CONTRACT): Law(date(2018, 5, 25), _CONTRACT, _CONTRACT, _CONSENT, _PERFORMANCE),
    ("DE", Content.CART): Law(
        date(2022, 5, 28),
        _CONSENT,
        _SOFT,
        _CONSENT,
        _(
            "Unfair Competition Act (UWG), § 7(2) no. 2: a reminder of a cart is advertising and needs express "
            "prior consent. § 7(3): not for the shop's own similar goods to those who bought, were told at the sale"
            " that they may refuse, and have not refused."
        ),
    ),
    ("DE", Content.ADVERTISING): Law(
        date(2022, 5, 28),
        _CONSENT,
        _SOFT,
        _CONSENT,
        _(
            "Unfair Competition Act (UWG), § 7(2) no. 2 and § 7(3): express prior consent, except for own similar "
            "goods to those who bought, were told that they may refuse, and have not refused. An unpaid order is no"
            " sale."
        ),
    ),
    ("RU", Content.CONTRACT): Law(
        date(2007, 1, 26),
        _CONTRACT,
        _CONTRACT,
        _CONSENT,
        _(
            "Federal Law No. 38-FZ “On Advertising”, Art. 3: what is said to one person about the order that they "
            "placed is no advertising; Federal Law No. 152-FZ, Art. 6(1)(5): data are used to carry out the "
            "contract."
        ),
    ),
    ("RU", Content.CART): Law(
        date(2006, 7, 1),
        _CONSENT,
        _CONSENT,
        _CONSENT,
        _(
            "Federal Law No. 38-FZ “On Advertising”, Art. 18(1): advertising over telecommunication networks needs "
            "prior consent, which the sender must be able to prove. A cart is no order."
        ),
    ),
    ("RU", Content.ADVERTISING): Law(
        date(2006, 7, 1),
        _CONSENT,
        _CONSENT,
        _CONSENT,
        _(
            "Federal Law No. 38-FZ “On Advertising”, Art. 18(1): prior consent that the sender can prove; there is "
            "no exception for those who bought before."
        ),
    ),
    ("GB", Content.CONTRACT): Law(date(2021, 1, 1), _CONTRACT, _CONTRACT, _CONSENT, _UK_PERFORMANCE),
    ("GB", Content.CART): Law(
        date(2003, 12, 11),
        _SOFT,
        _SOFT,
        _CONSENT,
        _(
            "Privacy and Electronic Communications Regulations 2003 (PECR), reg. 22(3): no consent for own similar "
            "goods if the address came in a sale or its negotiation and the person could and can refuse. A cart "
            "alone is not taken for a negotiation here."
        ),
    ),
    ("GB", Content.ADVERTISING): Law(
        date(2003, 12, 11),
        _SOFT,
        _SOFT,
        _CONSENT,
        _(
            "Privacy and Electronic Communications Regulations 2003 (PECR), reg. 22: consent, or the “soft opt-in” "
            "of reg. 22(3) for own similar goods in the course of a sale or its negotiation."
        ),
    ),
    ("US", Content.CONTRACT): Law(
        date(2004, 1, 1),
        _CONTRACT,
        _CONTRACT,
        _SOFT,
        _(
            "CAN-SPAM Act, 15 U.S.C. § 7702(17): a transactional message completes or confirms a transaction that "
            "the person agreed to."
        ),
    ),
    ("US", Content.CART): Law(
        date(2004, 1, 1),
        _SOFT,
        _SOFT,
        _SOFT,
        _(
            "CAN-SPAM Act, 15 U.S.C. § 7704: a commercial e-mail needs no prior consent; it needs a way to refuse, "
            "which is kept within ten days, and the sender's postal address. SMS need prior consent (TCPA, 47 "
            "U.S.C. § 227)."
        ),
    ),
    ("US", Content.ADVERTISING): Law(
        date(2004, 1, 1),
        _SOFT,
        _SOFT,
        _SOFT,
        _(
            "CAN-SPAM Act, 15 U.S.C. § 7704: allowed by e-mail until the person refuses, with the sender's postal "
            "address. SMS need prior express written consent (TCPA, 47 C.F.R. § 64.1200)."
        ),
    ),
    (OTHER, Content.CONTRACT): Law(
        date(2018, 5, 25),
        _CONTRACT,
        _CONTRACT,
        _CONSENT,
        _(
            "Where nothing more is known: a message about the order that the person placed, and about nothing else,"
            " is let pass; it follows GDPR Art. 6(1)(b)."
        ),
    ),
    (OTHER, Content.CART): Law(
        date(2003, 10, 31),
        _CONSENT,
        _CONSENT,
        _CONSENT,
        _(
            "Where nothing more is known, the strictest rule: consent, as Directive 2002/58/EC Art. 13(1) has it "
            "for the European Union."
        ),
    ),
    (OTHER, Content.ADVERTISING): Law(
        date(2003, 10, 31),
        _CONSENT,
        _CONSENT,
        _CONSENT,
        _(
            "Where nothing more is known, the strictest rule: consent, although Directive 2002/58/EC Art. 13(2) "
            "lets countries except those who bought similar goods."
        ),
    ),
}

# What stood there before, the oldest first: what is tried on a past goes by it.
EARLIER: Mapping[tuple[str, str], tuple[Law, ...]] = {
    ("PL", Content.CART): (_POLAND_BEFORE,),
    ("PL", Content.ADVERTISING): (_POLAND_BEFORE,),
}


def law_at(country: str, content: str, day: date | None) -> Law:
    """Return the law of a named country on a day, the newest without one; before its oldest version, that one."""
    present = LAW[country, content]
    if day is None or day >= present.since:
        return present
    before = EARLIER.get((country, content), ())
    held = [law for law in before if law.since <= day]
    return held[-1] if held else (before[0] if before else present)


def changes_of_law() -> list[date]:
    """Return the days from which any of it holds."""
    laws = [*LAW.values(), *(law for before in EARLIER.values() for law in before)]
    return sorted({law.since for law in laws})
