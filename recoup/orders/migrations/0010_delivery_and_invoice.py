from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models.lookups import Exact

import recoup.core.fields


def _particulars() -> models.JSONField:
    return models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)


def _is_object(column: str, name: str) -> models.CheckConstraint:
    kind = models.Func(models.F(column), function="jsonb_typeof", output_field=models.CharField())
    return models.CheckConstraint(condition=Exact(kind, models.Value("object")), name=name)


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0007_tags"),
        ("orders", "0009_coupons_of_an_order"),
        ("shops", "0003_languages_of_messages"),
    ]

    operations = [
        migrations.AddField(model_name="cart", name="buyer", field=_particulars()),
        migrations.AddField(model_name="cart", name="delivery", field=_particulars()),
        migrations.AddField(model_name="cart", name="invoice", field=_particulars()),
        migrations.AddField(
            model_name="cart",
            name="shipping_total",
            field=recoup.core.fields.AmountField(decimal_places=4, max_digits=16, null=True),
        ),
        migrations.AddField(model_name="order", name="delivery", field=_particulars()),
        migrations.AddField(model_name="order", name="invoice", field=_particulars()),
        # Checked for new rows at once, and for those that are there by the next migration, which stops nobody meanwhile.
        AddConstraintNotValid(
            model_name="cart", constraint=_is_object("delivery", "orders_cart_delivery_object")
        ),
        AddConstraintNotValid(
            model_name="cart", constraint=_is_object("invoice", "orders_cart_invoice_object")
        ),
        AddConstraintNotValid(
            model_name="order", constraint=_is_object("delivery", "orders_delivery_object")
        ),
        AddConstraintNotValid(model_name="order", constraint=_is_object("invoice", "orders_invoice_object")),
    ]
