"""An invoice's taxes belong to its workspace too, and can't refer to a rate of another."""

import django.db.models.deletion
from django.db import migrations, models

PAIRS = [("invoice_id", "books_invoice"), ("tax_rate_id", "books_taxrate")]


class Migration(migrations.Migration):
    dependencies = [("books", "0004_lists_in_order")]
    operations = [
        migrations.AddField(
            model_name="invoicetax",
            name="workspace",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="books.workspace"
            ),
        ),
        migrations.RunSQL(
            # Checked at once: a table with deferred checks pending can't be altered in the same transaction.
            sql=(
                "set constraints all immediate; "
                "update books_invoicetax set workspace_id = books_invoice.workspace_id "
                "from books_invoice where books_invoice.id = books_invoicetax.invoice_id"
            ),
            reverse_sql=migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name="invoicetax",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="books.workspace"
            ),
        ),
        *(
            migrations.RunSQL(
                sql=(
                    f"alter table books_invoicetax add constraint books_invoicetax_{column}_same_workspace "
                    f"foreign key (workspace_id, {column}) references {target} (workspace_id, id) "
                    "deferrable initially deferred"
                ),
                reverse_sql=f"alter table books_invoicetax drop constraint books_invoicetax_{column}_same_workspace",
            )
            for column, target in PAIRS
        ),
    ]
