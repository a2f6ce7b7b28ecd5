"""Which items aren't there is kept with the lists, so that those needn't be looked for before they're made."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("books", "0021_restored_companies")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="connection",
            name="missing_items",
            field=models.JSONField(db_default=[], default=list),
        ),
    ]
