"""An index of the few rows that need a person, so that the sweep needn't read a backlog to find them."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("books", "0011_attempt_looked_at")]

    operations: ClassVar = [
        migrations.AddIndex(
            model_name="outboxrow",
            index=models.Index(condition=models.Q(("state", "blocked")), fields=["company"], name="outbox_blocked"),
        ),
    ]
