"""Products as the shops report them."""

from django.db import models

from recoup.shops.models import ShopOwned, Source


class Product(ShopOwned):
    """A product or a variant of one, per source."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+")
    ref = models.TextField()
    variant_ref = models.TextField(default="", blank=True)
    sku = models.TextField(default="", blank=True)
    name = models.TextField()
    price = models.DecimalField(max_digits=16, decimal_places=4, null=True)
    currency = models.CharField(max_length=3)
    cost = models.DecimalField(
        max_digits=16, decimal_places=4, null=True
    )  # what one costs the shop, if known
    is_available = models.BooleanField(default=True)
    stock = models.DecimalField(max_digits=14, decimal_places=3, null=True)
    url = models.TextField(default="", blank=True)
    image_url = models.TextField(default="", blank=True)
    is_repeatable = models.BooleanField(
        default=False
    )  # bought again and again: an earlier purchase closes nothing (F2)
    is_deleted = models.BooleanField(default=False)
    version_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "source", "ref", "variant_ref"], name="catalog_product_once"
            )
        ]
