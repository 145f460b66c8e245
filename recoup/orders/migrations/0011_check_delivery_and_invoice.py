from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0010_delivery_and_invoice")]

    operations = [
        ValidateConstraint(model_name="cart", name="orders_cart_delivery_object"),
        ValidateConstraint(model_name="cart", name="orders_cart_invoice_object"),
        ValidateConstraint(model_name="order", name="orders_delivery_object"),
        ValidateConstraint(model_name="order", name="orders_invoice_object"),
    ]
