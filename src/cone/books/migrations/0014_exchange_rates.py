"""Exchange rates of the firm's own. Their checks hold for new rows at once; 0016 looks at the rows from before."""

from typing import ClassVar

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

_POSITIVE = models.Q(("exchange_rate__isnull", True), ("exchange_rate__gt", 0), _connector="OR")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("books", "0013_try_now_at")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="invoice",
            name="exchange_rate",
            field=models.DecimalField(blank=True, decimal_places=10, max_digits=17, null=True),
        ),
        migrations.AddField(
            model_name="payment",
            name="exchange_rate",
            field=models.DecimalField(blank=True, decimal_places=10, max_digits=17, null=True),
        ),
        AddConstraintNotValid(
            model_name="invoice",
            constraint=models.CheckConstraint(condition=_POSITIVE, name="invoice_exchange_rate_positive"),
        ),
        AddConstraintNotValid(
            model_name="payment",
            constraint=models.CheckConstraint(condition=_POSITIVE, name="payment_exchange_rate_positive"),
        ),
    ]
