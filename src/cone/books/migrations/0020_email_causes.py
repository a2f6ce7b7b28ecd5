"""Invoices refused for their customer's e-mail address were each a cause of their own, that its mending didn't reach.

They are tried again once, and wait then, if they still do, for the customer's address.
"""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("books", "0019_restored_at")]

    operations: ClassVar = [
        migrations.RunSQL(
            """
            update books_outboxrow
            set state = 'due', cause_key = null, cause = null, tries = 0, not_before = now(), changed_at = now()
            where state = 'blocked' and cause_key = 'email_invalid:' || record_uuid and kind = 'invoice';
            """,
            migrations.RunSQL.noop,
        ),
    ]
