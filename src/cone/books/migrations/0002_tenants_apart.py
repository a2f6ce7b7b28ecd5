"""Composite foreign keys: a record can't refer to a record of another workspace, whoever writes."""

from django.db import migrations

PAIRS = [
    ("books_service", "tax_rate_id", "books_taxrate"),
    ("books_invoice", "customer_id", "books_customer"),
    ("books_invoiceline", "invoice_id", "books_invoice"),
    ("books_invoiceline", "service_id", "books_service"),
    ("books_invoiceline", "tax_rate_id", "books_taxrate"),
    ("books_invoicetax", "invoice_id", "books_invoice"),
    ("books_invoicetax", "tax_rate_id", "books_taxrate"),
    ("books_payment", "customer_id", "books_customer"),
    ("books_paymentallocation", "payment_id", "books_payment"),
    ("books_paymentallocation", "invoice_id", "books_invoice"),
]


def _name(table: str, column: str) -> str:
    return f"{table}_{column}_same_workspace"


class Migration(migrations.Migration):
    dependencies = [("books", "0001_initial")]
    operations = [
        migrations.RunSQL(
            sql=(
                f"alter table {table} add constraint {_name(table, column)} "
                f"foreign key (workspace_id, {column}) references {target} (workspace_id, id) "
                "deferrable initially deferred"
            ),
            reverse_sql=f"alter table {table} drop constraint {_name(table, column)}",
        )
        for table, column, target in PAIRS
    ]
