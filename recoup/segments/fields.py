"""The closed list of facts that conditions may ask about."""

from recoup.segments.order_fields import CART_FIELDS, ORDER_FIELDS
from recoup.segments.person_fields import HISTORY_FIELDS, PERSON_FIELDS

FIELDS = {field.name: field for field in (*ORDER_FIELDS, *CART_FIELDS, *PERSON_FIELDS, *HISTORY_FIELDS)}
