"""That somebody has just named the address behind a link: signed, for this link alone, and never remembered by us."""

from datetime import timedelta

from django.core import signing

from recoup.storefront.visits import Visit

_PERSON = "storefront.cart.person"
PROOF_LIFE = timedelta(hours=1)


def proof(visit: Visit) -> str:
    """Return what the form brings back of somebody who has just named their address."""
    return signing.dumps(visit.link.pk, salt=_PERSON)


def is_proved(visit: Visit, told: str) -> bool:
    """Tell whether a form comes from somebody who named the address behind this link within the last hour."""
    try:
        return bool(signing.loads(told, salt=_PERSON, max_age=PROOF_LIFE) == visit.link.pk)
    except signing.BadSignature:
        return False
