"""What was refused when it was to be taken back asked to be changed here, which it can't be any more: its cause says so."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("books", "0024_made_for_one")]

    operations: ClassVar = [
        migrations.RunSQL(
            """
            update books_outboxrow o
            set cause = cause || jsonb_build_object(
                'params', coalesce(cause -> 'params', '{}') || '{"removal": "yes"}')
            where state = 'blocked' and cause ->> 'code' = 'refused' and (
                kind = 'invoice' and not exists (
                    select from books_invoice i where i.uuid = o.record_uuid and i.status <> 'void')
                or kind = 'payment' and not exists (
                    select from books_payment p where p.uuid = o.record_uuid and p.voided_at is null));
            """,
            migrations.RunSQL.noop,
        ),
    ]
