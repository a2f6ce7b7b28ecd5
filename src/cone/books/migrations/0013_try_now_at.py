"""When a person asked last to try now: what was refused before says nothing of the month's allowance since."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("books", "0012_outbox_blocked")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="connection", name="try_now_at", field=models.DateTimeField(blank=True, null=True)
        ),
    ]
