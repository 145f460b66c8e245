"""Products."""

import itertools
from decimal import Decimal
from typing import Any

from recoup.catalog.models import Product
from recoup.shops.models import Source
from tests.factories.moments import NOW

_numbers = itertools.count(1)


def make_product(source: Source, **values: Any) -> Product:
    """Make a product of a source, for sale at 49.00."""
    number = next(_numbers)
    product = Product(
        **{
            "shop_id": source.shop_id,
            "source": source,
            "ref": f"product-{number}",
            "sku": f"SKU-{number}",
            "name": "Cream",
            "price": Decimal("49.00"),
            "currency": "EUR",
            "version_at": NOW,
            **values,
        }
    )
    product.save(force_insert=True)
    return product
