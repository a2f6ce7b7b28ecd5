"""Forms that made a record, so that the same one sent again doesn't make a second."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("books", "0014_exchange_rates")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="SentForm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token", models.UUIDField()),
                (
                    "record_uuid",
                    models.UUIDField(
                        help_text="null only within the transaction that makes the record", null=True
                    ),
                ),
                ("sent_at", models.DateTimeField(auto_now_add=True)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="books.workspace"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("workspace", "token"), name="sent_form_once")],
            },
        ),
    ]
