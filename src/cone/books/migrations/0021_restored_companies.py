"""That the books were restored from an older copy is told of a company, whichever connection to it is the latest."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("books", "0020_email_causes")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="remotecompany", name="restored_at", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddField(
            model_name="remotecompany",
            name="restored_in",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="the making of the tables that it was said of",
                max_length=64,
            ),
        ),
        migrations.RunSQL(
            """
            update books_remotecompany company set restored_at = noted.at
            from (select company_id, max(restored_at) as at from books_connection group by company_id) noted
            where noted.company_id = company.id;
            """,
            migrations.RunSQL.noop,
        ),
        migrations.RemoveField(model_name="connection", name="restored_at"),
    ]
