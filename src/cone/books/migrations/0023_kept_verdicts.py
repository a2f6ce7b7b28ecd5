"""An undo that was kept had its reason as the attempt's verdict; it's "kept", and the run's record has the reason."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("books", "0022_missing_items")]

    operations: ClassVar = [
        migrations.RunSQL(
            """
            update books_attempt set verdict = 'kept'
            where state = 'failed' and operation in ('void', 'delete')
                and verdict in ('changed_there', 'paid_there', 'books_closed', 'refused', 'unknown');
            """,
            migrations.RunSQL.noop,
        ),
    ]
