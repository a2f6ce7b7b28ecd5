"""Links made before it was kept: a memo or reference that stands here was sent, and may be emptied there later."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("books", "0017_workspace_revision")]

    operations: ClassVar = [
        migrations.RunSQL(
            """
            update books_link l set answer = l.answer || '{"has_text": true}' from books_invoice i
            where l.kind = 'invoice' and l.record_uuid = i.uuid and i.memo <> '';
            update books_link l set answer = l.answer || '{"has_text": true}' from books_payment p
            where l.kind = 'payment' and l.record_uuid = p.uuid and p.reference <> '';
            """,
            migrations.RunSQL.noop,
        ),
    ]
