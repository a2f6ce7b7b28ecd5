"""A firm's settings have a revision, so that a form can't overwrite what its person never saw."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("books", "0016_exchange_rates_checked")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="workspace",
            name="revision",
            field=models.PositiveBigIntegerField(
                db_default=1, default=1, help_text="grows with every change of the above"
            ),
        ),
    ]
