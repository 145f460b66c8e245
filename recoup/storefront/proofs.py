"""That somebody has just named the address behind a link: signed, for this link alone, and never remembered by us."""

from datetime import timedelta

from django.core import signing

from recoup.core.ratelimit import is_allowed
from recoup.orders.models import Order
from recoup.storefront.visits import Visit

_PERSON = "storefront.cart.person"
PROOF_LIFE = timedelta(hours=1)
# To name the address: the masked one leaves few letters to guess. A filled cart gives a fresh link to pay as often as
# somebody likes, so what the links are about has its limit, too.
TRIES, TRIES_PER = 5, timedelta(minutes=15)
TRIES_OF_ONE, TRIES_OF_ONE_PER = 20, timedelta(hours=2)


def may_try(visit: Visit) -> bool:
    """Count a try to name the address; tell whether it is one of few, by this link and about this order or cart."""
    kind = "order" if isinstance(visit.subject, Order) else "cart"
    by_link = is_allowed(f"person:{visit.link.pk}", limit=TRIES, per=TRIES_PER)
    return by_link and is_allowed(
        f"person-of:{kind}:{visit.subject.pk}", limit=TRIES_OF_ONE, per=TRIES_OF_ONE_PER
    )


def proof(visit: Visit) -> str:
    """Return what the form brings back of somebody who has just named their address."""
    return signing.dumps(visit.link.pk, salt=_PERSON)


def is_proved(visit: Visit, told: str) -> bool:
    """Tell whether a form comes from somebody who named the address behind this link within the last hour."""
    try:
        return bool(signing.loads(told, salt=_PERSON, max_age=PROOF_LIFE) == visit.link.pk)
    except signing.BadSignature:
        return False
