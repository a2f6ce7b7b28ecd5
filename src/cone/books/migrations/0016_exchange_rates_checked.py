"""Check the rows from before 0014 in a migration of its own: while it looks, others read and write."""

from typing import ClassVar

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("books", "0015_sent_forms")]

    operations: ClassVar = [
        ValidateConstraint(model_name="invoice", name="invoice_exchange_rate_positive"),
        ValidateConstraint(model_name="payment", name="payment_exchange_rate_positive"),
    ]
