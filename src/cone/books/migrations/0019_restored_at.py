"""When an older copy of the books was restored: told on pages until a person has compared them."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("books", "0018_sent_texts")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="connection", name="restored_at", field=models.DateTimeField(blank=True, null=True)
        ),
    ]
