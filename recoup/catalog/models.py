"""Products as the shops report them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recoup.core.fields import AmountField
from recoup.shops.models import ShopOwned, Source


class Product(ShopOwned):
    """A product or a variant of one, per source."""

    class CostFrom(models.TextChoices):
        UNKNOWN = "", _("Not known")
        HAND = "hand", _("Entered by hand")
        SOURCE = "source", _("From the shop")
        FILE = "file", _("From a file")
        SHARE = "share", _("A share of the price")

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
    cost_from = models.CharField(max_length=8, choices=CostFrom, default="", db_default="", blank=True)
    cost_at = models.DateTimeField(null=True)  # when it became so
    cost_told = AmountField(null=True)  # what the source said last; kept beside one that was entered by hand
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
        indexes = [
            # Reader: the list of products, by name.
            models.Index(
                fields=["shop", "name", "id"], name="catalog_product_by_name", condition=Q(is_deleted=False)
            ),
            # Readers: costs of lines that name an article number alone; files of costs.
            models.Index(fields=["shop", "sku"], name="catalog_product_by_sku", condition=~Q(sku="")),
        ]


class DeliveryOption(ShopOwned):
    """A way of delivery or a pick-up point, per source, as far as the source tells which it offers."""

    class Kind(models.TextChoices):
        METHOD = "method", _("Way of delivery")
        POINT = "point", _("Pick-up point")

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=6, choices=Kind)
    ref = models.TextField()
    title = models.TextField(default="", blank=True)
    price = models.DecimalField(max_digits=16, decimal_places=4, null=True)
    currency = models.CharField(max_length=3, default="", blank=True)
    needs_point = models.BooleanField(default=False)
    is_available = models.BooleanField(default=True)
    version_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Reader too: what a filled cart could be brought by.
            models.UniqueConstraint(
                fields=["shop", "source", "kind", "ref"], name="catalog_delivery_option_once"
            )
        ]
